// Records what four threads do to a register: java Recorder.java history.jsonl
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicLong;

// begin of the recorder
class Recorder {
    private final OutputStream file;

    Recorder(String path) throws IOException { file = new FileOutputStream(path); }

    // One writer at a time: the order of lines is the order of events. The value is JSON.
    synchronized void event(String type, long process, String f, String value) throws IOException {
        String line = "{\"type\":\"%s\",\"process\":%d,\"f\":\"%s\",\"value\":%s}\n";
        file.write(String.format(line, type, process, f, value).getBytes("UTF-8"));
    }
    // end of the recorder

    public static void main(String[] arguments) throws Exception {
        Recorder recorder = new Recorder(arguments[0]);
        AtomicLong register = new AtomicLong();
        Thread[] threads = new Thread[4];
        for (int process = 0; process < threads.length; process++) {
            long number = process;
            threads[process] = new Thread(() -> work(recorder, register, number));
            threads[process].start();
        }
        for (Thread thread : threads) thread.join();
    }

    private static void work(Recorder recorder, AtomicLong register, long process) {
        try {
            for (long value = 1000 * process + 1; value <= 1000 * process + 250; value++) {
                recorder.event("invoke", process, "write", "" + value);
                register.set(value);
                recorder.event("ok", process, "write", "" + value);
                recorder.event("invoke", process, "read", "null");
                long seen = register.get();
                recorder.event("ok", process, "read", "" + seen);
            }
        } catch (IOException error) {
            throw new RuntimeException(error);
        }
    }
}
