// Command bench says what cel-go takes, in microseconds of CPU, to evaluate and to prepare the expression in its argument
// over the object on stdin: one JSON object on stdout.
package main

import (
	"encoding/json"
	"os"
	"syscall"
	"time"

	"github.com/google/cel-go/cel"
)

const rounds = 5

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// The best round counts: whatever else the machine does only adds.
func cost(runs int, run func()) float64 {
	best := 0.0
	for round := range rounds {
		before := cpu()
		for range runs {
			run()
		}
		each := float64((cpu() - before).Nanoseconds()) / float64(runs) / 1000
		if round == 0 || each < best {
			best = each
		}
	}
	return best
}

func main() {
	env := must(cel.NewEnv(cel.Variable("object", cel.DynType)))
	prepare := func() cel.Program {
		ast, issues := env.Compile(os.Args[1])
		if issues.Err() != nil {
			panic(issues.Err())
		}
		return must(env.Program(ast))
	}
	var object map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&object); err != nil {
		panic(err)
	}
	program := prepare()
	input := map[string]any{"object": object}
	evaluate := func() {
		if out, _, err := program.Eval(input); err != nil || out.Value() != true {
			panic("the sample does not hold")
		}
	}
	result := map[string]float64{"evaluate": cost(100_000, evaluate), "prepare": cost(2_000, func() { prepare() })}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		panic(err)
	}
}
