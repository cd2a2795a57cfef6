// Records what four goroutines do to a register: go run recorder.go history.jsonl
package main

import (
	"encoding/json"
	"os"
	"sync"
	"sync/atomic"
)

// begin of the recorder
type Recorder struct {
	lock sync.Mutex // one writer at a time: the order of lines is the order of events
	file *os.File
}

func (r *Recorder) Event(kind string, process int, f string, value any) {
	line, _ := json.Marshal(map[string]any{"type": kind, "process": process, "f": f, "value": value})
	r.lock.Lock()
	defer r.lock.Unlock()
	r.file.Write(append(line, '\n'))
}

// end of the recorder

func main() {
	file, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	recorder := &Recorder{file: file}
	var register atomic.Int64
	var all sync.WaitGroup
	for process := 0; process < 4; process++ {
		all.Add(1)
		go func(process int) {
			defer all.Done()
			for number := 1; number <= 250; number++ {
				value := int64(1000*process + number)
				recorder.Event("invoke", process, "write", value)
				register.Store(value)
				recorder.Event("ok", process, "write", value)
				recorder.Event("invoke", process, "read", nil)
				seen := register.Load()
				recorder.Event("ok", process, "read", seen)
			}
		}(process)
	}
	all.Wait()
}
