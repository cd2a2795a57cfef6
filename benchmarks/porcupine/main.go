// Porcupine on one of our histories: MODEL FILE SECONDS, as benchmarks/objects.py calls it.
//
// It prints {"valid": true, "seconds": 0.012}, where seconds is the time of the check alone. The
// models are as quick as we could make them: states are small values that are compared with ==
// where that can be, each has a hash, and what falls apart into elements is partitioned.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/anishathalye/porcupine"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: porcupine MODEL FILE SECONDS")
		os.Exit(254)
	}
	model, known := models[os.Args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "there is no model %s\n", os.Args[1])
		os.Exit(254)
	}
	operations, err := read(os.Args[2])
	seconds, wrong := strconv.ParseFloat(os.Args[3], 64)
	if err != nil || wrong != nil {
		fmt.Fprintln(os.Stderr, err, wrong)
		os.Exit(254)
	}
	limit := time.Duration(seconds * float64(time.Second))
	begin := time.Now()
	result := porcupine.CheckOperationsTimeout(model, operations, limit)
	took := time.Since(begin).Seconds()
	words := map[porcupine.CheckResult]string{porcupine.Ok: "true", porcupine.Illegal: "false"}
	valid, decided := words[result]
	if !decided {
		valid = `"unknown"`
	}
	fmt.Printf("{\"valid\": %s, \"seconds\": %.9f}\n", valid, took)
}
