// The runner of Go's os/exec: the same orders and answers as ../../runner,
// one JSON object a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
)

func perform(line []byte) (any, error) {
	var order Order
	if err := json.Unmarshal(line, &order); err != nil {
		return nil, err
	}
	switch order.Op {
	case "memory":
		return occupy(order)
	case "churn":
		return churn(order)
	case "capture":
		return capture(order)
	case "feed":
		return feed(order)
	case "burst":
		return burst(order)
	case "latency":
		return latency(order)
	case "quiet":
		return quiet(order)
	case "hold":
		return hold(order)
	case "release":
		return release()
	case "usage":
		return usage()
	}
	return nil, fmt.Errorf("no order %q", order.Op)
}

func main() {
	// Wait() blocks a thread for each child; more than 10 000 threads end a Go program by default.
	debug.SetMaxThreads(1 << 20)
	answers := json.NewEncoder(os.Stdout)
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		answer, err := perform(orders.Bytes())
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if answers.Encode(answer) != nil {
			return
		}
	}
}
