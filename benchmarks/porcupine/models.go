package main

import (
	"hash/maphash"
	"sort"

	"github.com/anishathalye/porcupine"
)

type step func(state interface{}, in input, out output) (bool, interface{})

var seed = maphash.MakeSeed()

var models = map[string]porcupine.Model{
	"cas-register":    simple("null", register, ofText),
	"kv":              simple("", text, ofText),
	"counter":         simple(0, counter, func(state interface{}) uint64 { return mixed(state.(int)) }),
	"mutex":           simple(false, mutex, nil),
	"append":          simple(list{}, appended, ofList),
	"set":             simple(list{}, added, ofList),
	"members":         byElement(simple(false, member, nil)),
	"fifo-queue":      of([]int(nil), fifo, sameQueue, ofQueue),
	"unordered-queue": of(bag{}, unordered, sameBag, ofBag),
	"multi-register":  simple([5]int{-1, -1, -1, -1, -1}, registers, ofFive),
	"bank":            simple([5]int{100, 100, 100, 100, 100}, bank, ofFive),
}

func simple(first interface{}, next step, hash func(interface{}) uint64) porcupine.Model {
	return of(first, next, func(a, b interface{}) bool { return a == b }, hash)
}

func of(
	first interface{}, next step, same func(a, b interface{}) bool, hash func(interface{}) uint64,
) porcupine.Model {
	return porcupine.Model{
		Init: func() interface{} { return first },
		Step: func(state, in, out interface{}) (bool, interface{}) {
			return next(state, in.(input), out.(output))
		},
		Equal: same,
		Hash:  hash,
	}
}

func ofText(state interface{}) uint64 {
	return maphash.String(seed, state.(string))
}

func ofFive(state interface{}) uint64 {
	var hash uint64
	for _, each := range state.([5]int) {
		hash = extended(hash, each)
	}
	return hash
}

func register(state interface{}, in input, out output) (bool, interface{}) {
	if in.f == "write" {
		return true, in.value.text
	}
	return out.value.text == state.(string), state
}

func text(state interface{}, in input, out output) (bool, interface{}) {
	switch in.f {
	case "put":
		return true, in.value.text
	case "append":
		return true, state.(string) + in.value.text
	}
	return out.value.text == state.(string), state
}

func counter(state interface{}, in input, out output) (bool, interface{}) {
	if in.f == "add" {
		return true, state.(int) + in.value.number
	}
	return out.value.number == state.(int), state
}

func mutex(state interface{}, in input, out output) (bool, interface{}) {
	return state.(bool) == (in.f == "release"), in.f == "acquire"
}

// A list, or a set whose elements are added once: its length and a hash. Comparing the elements
// themselves would be slower, and the hash of 64 bits does not err in practice.
type list struct {
	count int
	hash  uint64
}

func ofList(state interface{}) uint64 { return state.(list).hash }

func appended(state interface{}, in input, out output) (bool, interface{}) {
	have := state.(list)
	if in.f == "append" {
		return true, list{have.count + 1, extended(have.hash, in.value.number)}
	}
	return have == list{out.value.count, out.value.order}, state
}

func added(state interface{}, in input, out output) (bool, interface{}) {
	have := state.(list)
	if in.f == "add" {
		return true, list{have.count + 1, have.hash + mixed(in.value.number)}
	}
	return have == list{out.value.count, out.value.bag}, state
}

func member(state interface{}, in input, out output) (bool, interface{}) {
	if in.f == "contains" {
		return (out.value.text == "true") == state.(bool), state
	}
	return true, in.f == "add"
}

func byElement(model porcupine.Model) porcupine.Model {
	model.Partition = func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[int][]porcupine.Operation{}
		for _, each := range history {
			element := each.Input.(input).value.number
			parts[element] = append(parts[element], each)
		}
		var found [][]porcupine.Operation
		for _, part := range parts {
			found = append(found, part)
		}
		return found
	}
	return model
}

func ofQueue(state interface{}) uint64 {
	inside := state.([]int)
	hash := uint64(len(inside))
	for at := 0; at < len(inside) && at < 4; at++ { // the ends tell most queues apart
		hash = extended(extended(hash, inside[at]), inside[len(inside)-1-at])
	}
	return hash
}

func sameQueue(a, b interface{}) bool { return same(a.([]int), b.([]int)) }

func fifo(state interface{}, in input, out output) (bool, interface{}) {
	inside := state.([]int)
	if in.f == "enqueue" {
		return true, append(inside[:len(inside):len(inside)], in.value.number)
	}
	if len(inside) == 0 {
		return !out.known || out.value.text == "null", state
	}
	fits := !out.known || (out.value.text != "null" && out.value.number == inside[0])
	return fits, inside[1:]
}

// What is inside, and how many takes without an answer have not been accounted for.
type bag struct {
	inside  []int
	unknown int
	hash    uint64
}

func ofBag(state interface{}) uint64 { return extended(state.(bag).hash, state.(bag).unknown) }

func sameBag(a, b interface{}) bool {
	one, other := a.(bag), b.(bag)
	return one.hash == other.hash && one.unknown == other.unknown && same(one.inside, other.inside)
}

func unordered(state interface{}, in input, out output) (bool, interface{}) {
	have := state.(bag)
	if in.f == "enqueue" {
		return true, have.with(in.value.number)
	}
	if !out.known {
		return true, bag{have.inside, have.unknown + 1, have.hash}
	}
	if out.value.text == "null" { // what is inside, the others must have taken
		left := len(have.inside)
		return left <= have.unknown, bag{nil, have.unknown - left, 0}
	}
	at := sort.SearchInts(have.inside, out.value.number)
	if at == len(have.inside) || have.inside[at] != out.value.number {
		return false, state
	}
	fewer := make([]int, 0, len(have.inside)-1)
	fewer = append(append(fewer, have.inside[:at]...), have.inside[at+1:]...)
	return true, bag{fewer, have.unknown, have.hash - mixed(out.value.number)}
}

func (have bag) with(number int) bag {
	at := sort.SearchInts(have.inside, number)
	more := make([]int, 0, len(have.inside)+1)
	more = append(append(append(more, have.inside[:at]...), number), have.inside[at:]...)
	return bag{more, have.unknown, have.hash + mixed(number)}
}

func same(one, other []int) bool {
	if len(one) != len(other) {
		return false
	}
	for at := range one {
		if one[at] != other[at] {
			return false
		}
	}
	return true
}

func registers(state interface{}, in input, out output) (bool, interface{}) {
	have := state.([5]int)
	micros := in.value.micro
	if out.known {
		micros = out.value.micro
	}
	for _, each := range micros {
		if each.f == "w" {
			have[each.register] = each.value
		} else if out.known && have[each.register] != each.value {
			return false, state
		}
	}
	return true, have
}

func bank(state interface{}, in input, out output) (bool, interface{}) {
	have := state.([5]int)
	if in.f == "read" {
		return have == out.value.named, state
	}
	have[in.value.from] -= in.value.number
	have[in.value.to] += in.value.number
	return have[in.value.from] >= 0, have
}
