"""Programs that do nothing but read the clock, in several languages, and tell it when asked.

Each answers every line with its wall clock and its monotonic clock, in seconds.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

C = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static double seconds(struct timespec t) { return t.tv_sec + t.tv_nsec / 1e9; }
static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return seconds(t);
}
/* All that tell the time, and it must not go wrong: the monotonic clock never goes back. */
static void *read_all(void *nothing) {
    for (double last = 0;;) {
        struct timeval day;
        double next = now(CLOCK_MONOTONIC);
        if (next < last || gettimeofday(&day, 0) != 0 || time(0) < 0 || now(CLOCK_REALTIME) < 0)
            abort();
        last = next;
    }
    return nothing;
}
int main(void) {
    char line[10];
    pthread_t other;
    pthread_create(&other, 0, read_all, 0);
    while (fgets(line, sizeof line, stdin)) {
        struct timeval day;
        double wall = now(CLOCK_REALTIME);
        time_t whole = time(0);
        gettimeofday(&day, 0);
        /* The three are one clock; time() may be a tick behind. */
        if (day.tv_sec + day.tv_usec / 1e6 - wall > 5 || whole - wall > 5 || whole - wall < -5)
            abort();
        printf("%.9f %.9f\n", wall, now(CLOCK_MONOTONIC));
        fflush(stdout);
    }
}
"""
PYTHON = """
import sys, threading, time
def read_all():
    while True: time.time(); time.monotonic()
threading.Thread(target=read_all, daemon=True).start()
for line in sys.stdin: print(time.time(), time.monotonic(), flush=True)
"""
JAVA = """
public class Reader {
    public static void main(String[] arguments) throws Exception {
        Thread other = new Thread(() -> {
            while (System.currentTimeMillis() > 0) System.nanoTime();
        });
        other.setDaemon(true);
        other.start();
        while (System.in.read() >= 0)
            System.out.println(System.currentTimeMillis() / 1e3 + " " + System.nanoTime() / 1e9);
    }
}
"""
GO = """
package main

import (
    "bufio"
    "fmt"
    "os"
    "time"
)

func main() {
    begun, up := time.Now(), UPTIME
    go func() { for time.Now().Unix() > 0 {} }()
    for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
        now := time.Now()
        fmt.Printf("%.6f %.6f\\n", float64(now.UnixMicro())/1e6, up+now.Sub(begun).Seconds())
    }
}
"""

LANGUAGES = {
    "C": ("gcc", "reader.c", C, "gcc -O1 -pthread -o reader reader.c", "./reader"),
    "Python": ("python3", "reader.py", PYTHON, None, "python3 reader.py"),
    "Java": ("javac", "Reader.java", JAVA, "javac Reader.java", "java -Xmx64m Reader"),
    "Go": ("go", "reader.go", GO, "go build -o reader reader.go", "./reader"),
}


@dataclass(frozen=True)
class Reader:
    """A program that reads the clock."""

    pid: int
    asked: IO[str]
    told: IO[str]

    def off(self) -> float:
        """By how many seconds its wall clock is off, by its own monotonic clock."""
        here = time.time() - time.monotonic()
        self.asked.write("\n")
        self.asked.flush()
        wall, monotonic = map(float, self.told.readline().split())
        return wall - monotonic - here

    def monotonic_off(self) -> float:
        """By how many seconds its monotonic clock is off, by how long an answer takes."""
        self.asked.write("\n")
        self.asked.flush()
        return float(self.told.readline().split()[1]) - time.monotonic()


def lacks(language: str) -> bool:
    """Say whether what it is made with is not installed."""
    return shutil.which(LANGUAGES[language][0]) is None


@contextmanager
def reader(language: str, folder: Path) -> Iterator[Reader]:
    """Run one in a folder."""
    _, name, source, build, run = LANGUAGES[language]
    (folder / name).write_text(source.replace("UPTIME", f"{time.monotonic():f}"))
    if build:
        subprocess.run(build.split(), cwd=folder, check=True, timeout=120)
    pipe = subprocess.PIPE
    process = subprocess.Popen(run.split(), cwd=folder, stdin=pipe, stdout=pipe, text=True)
    try:
        assert process.stdin and process.stdout
        found = Reader(process.pid, process.stdin, process.stdout)
        found.off()  # it is itself by now, and not what it was started by
        yield found
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()
