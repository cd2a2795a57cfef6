package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/anishathalye/porcupine"
)

type event struct {
	Type    string          `json:"type"`
	Process int             `json:"process"`
	F       string          `json:"f"`
	Value   json.RawMessage `json:"value"`
}

// What was asked, and what was answered. Nothing was if the operation crashed.
type input struct {
	f     string
	value value
}
type output struct {
	known bool
	value value
}

// A value in whatever form a model wants it.
type value struct {
	text   string // as it stands in the file
	number int
	count  int    // of a list
	order  uint64 // of a list: a hash in which order counts
	bag    uint64 // of a list: one in which it does not
	micro  []micro
	named  [5]int // an object of five balances
	from   int
	to     int
}
type micro struct {
	f        string
	register int
	value    int
}

// read returns the operations that count. Those that crashed end after all others; reads that did
// are left out, for they change nothing.
func read(path string) ([]porcupine.Operation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 1<<30)
	var found []porcupine.Operation
	var outcomes []string
	open := map[int]int{}
	now := int64(0)
	for lines.Scan() {
		var each event
		if err := json.Unmarshal(lines.Bytes(), &each); err != nil {
			return nil, err
		}
		now++
		if each.Type == "invoke" {
			open[each.Process] = len(found)
			asked := input{each.F, parsed(each.F, each.Value)}
			found = append(found, porcupine.Operation{
				ClientId: each.Process, Input: asked, Call: now, Output: output{}})
			outcomes = append(outcomes, "info")
			continue
		}
		at := open[each.Process]
		outcomes[at] = each.Type
		if each.Type == "ok" {
			found[at].Return = now
			found[at].Output = output{true, parsed(each.F, each.Value)}
		}
	}
	counting := found[:0]
	for at, operation := range found {
		f := operation.Input.(input).f
		reads := f == "read" || f == "get" || f == "contains"
		if outcomes[at] == "fail" || (outcomes[at] == "info" && reads) {
			continue
		}
		if outcomes[at] == "info" {
			operation.Return = now + 1
		}
		counting = append(counting, operation)
	}
	return counting, lines.Err()
}

func parsed(f string, raw json.RawMessage) value {
	found := value{text: string(raw)}
	if len(raw) == 0 {
		return found
	}
	switch {
	case f == "txn":
		var parts [][]interface{}
		_ = json.Unmarshal(raw, &parts)
		for _, part := range parts {
			register, _ := part[1].(float64)
			number, written := part[2].(float64)
			if !written {
				number = -1
			}
			found.micro = append(found.micro, micro{part[0].(string), int(register), int(number)})
		}
	case raw[0] == '[':
		var numbers []int
		_ = json.Unmarshal(raw, &numbers)
		for _, number := range numbers {
			found.order = extended(found.order, number)
			found.bag += mixed(number)
		}
		found.count = len(numbers)
	case f == "read" && raw[0] == '{':
		var named map[string]int
		_ = json.Unmarshal(raw, &named)
		for at := range found.named {
			found.named[at] = named[string(rune('0'+at))]
		}
	case raw[0] == '{':
		var parts struct {
			From, To string
			Amount   int
		}
		_ = json.Unmarshal(raw, &parts)
		found.from, found.to = int(parts.From[0]-'0'), int(parts.To[0]-'0')
		found.number = parts.Amount
	case raw[0] == '"':
		_ = json.Unmarshal(raw, &found.text)
	default:
		_ = json.Unmarshal(raw, &found.number)
	}
	return found
}

func extended(hash uint64, number int) uint64 {
	return hash*0x9e3779b97f4a7c15 + mixed(number)
}

func mixed(number int) uint64 {
	x := uint64(number) + 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}
