package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// Copied once; a nil Env would be for every child.
var environment = os.Environ()

// command leaves Stdin, Stdout and Stderr nil: /dev/null.
func command(file string, args ...string) *exec.Cmd {
	cmd := exec.Command(file, args...)
	cmd.Env = environment
	return cmd
}

func since(start time.Time) float64 {
	return float64(time.Since(start).Nanoseconds()) / 1e6
}

// lanes runs so many loops beside each other and returns the first error.
func lanes(count int, lane func() error) error {
	var group sync.WaitGroup
	errs := make(chan error, count)
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := lane(); err != nil {
				errs <- err
			}
		}()
	}
	group.Wait()
	close(errs)
	return <-errs
}

// repeat runs again and again, so many at a time and for so long.
func repeat(order Order, run func() error) (Outcome, error) {
	start := time.Now()
	var launches int64
	more := func() bool {
		elapsed := since(start)
		n := atomic.LoadInt64(&launches)
		return elapsed < order.Milliseconds || (n < int64(order.Least) && elapsed < order.Most) || n == 0
	}
	err := lanes(order.InFlight, func() error {
		for more() {
			atomic.AddInt64(&launches, 1)
			if err := run(); err != nil {
				return err
			}
		}
		return nil
	})
	return Outcome{int(launches), since(start)}, err
}

func churn(order Order) (any, error) {
	outcome, err := repeat(order, func() error { return command(order.File).Run() })
	return churnAnswer{outcome, nil}, err
}

func burst(order Order) (any, error) {
	start := time.Now()
	err := lanes(order.Count, func() error { return command(order.File).Run() })
	return churnAnswer{Outcome{order.Count, since(start)}, nil}, err
}

func latency(order Order) (any, error) {
	var samples []float64
	order.InFlight = 1
	outcome, err := repeat(order, func() error {
		start := time.Now()
		err := command(order.File).Run()
		samples = append(samples, since(start)*1000)
		return err
	})
	sort.Float64s(samples)
	percentile := func(share float64) float64 {
		return samples[int(math.Ceil(float64(len(samples))*share))-1]
	}
	return latencyAnswer{outcome.Launches, percentile(0.5), percentile(0.99)}, err
}

func capture(order Order) (any, error) {
	var length int64
	outcome, err := repeat(order, func() error {
		var output bytes.Buffer
		cmd := command(order.File, order.Args...)
		cmd.Stdout = &output
		err := cmd.Run()
		atomic.StoreInt64(&length, int64(output.Len()))
		return err
	})
	return captureAnswer{outcome, int(length)}, err
}

func feed(order Order) (any, error) {
	input := bytes.Repeat([]byte{1}, order.Bytes)
	outcome, err := repeat(order, func() error {
		cmd := command(order.File, order.Args...)
		cmd.Stdin = bytes.NewReader(input)
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", order.File, err)
		}
		return nil
	})
	return outcome, err
}

func quiet(order Order) (any, error) {
	time.Sleep(time.Duration(order.Milliseconds * float64(time.Millisecond)))
	return quietAnswer{nil}, nil
}
