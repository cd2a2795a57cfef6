// Records what four threads do to a register: rustc recorder.rs && ./recorder history.jsonl
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::{env, fs::File, io::Write, sync::Mutex, thread};

// begin of the recorder
struct Recorder {
    file: Mutex<File>, // one writer at a time: the order of lines is the order of events
}

impl Recorder {
    fn event(&self, kind: &str, process: u64, f: &str, value: &str) {
        // The value is JSON.
        let head = format!(r#"{{"type":"{kind}","process":{process},"f":"{f}""#);
        let mut file = self.file.lock().unwrap();
        writeln!(file, r#"{head},"value":{value}}}"#).unwrap();
    }
}
// end of the recorder

fn main() {
    let path = env::args().nth(1).expect("a path");
    let recorder = Recorder { file: Mutex::new(File::create(path).unwrap()) };
    let register = AtomicU64::new(0);
    thread::scope(|scope| {
        for process in 0..4 {
            let (recorder, register) = (&recorder, &register);
            scope.spawn(move || {
                for number in 1..=250 {
                    let value = 1000 * process + number;
                    recorder.event("invoke", process, "write", &value.to_string());
                    register.store(value, SeqCst);
                    recorder.event("ok", process, "write", &value.to_string());
                    recorder.event("invoke", process, "read", "null");
                    let seen = register.load(SeqCst);
                    recorder.event("ok", process, "read", &seen.to_string());
                }
            });
        }
    });
}
