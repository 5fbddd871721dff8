package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const startingAtATime = 64

// The children that are held: each has a goroutine in Wait().
var crowd struct {
	sync.WaitGroup
	read, write *os.File
	count       int64
}

func hold(order Order) (any, error) {
	start := time.Now()
	if crowd.read == nil {
		var err error
		if crowd.read, crowd.write, err = os.Pipe(); err != nil {
			return nil, err
		}
	}
	var launches int64
	err := lanes(startingAtATime, func() error {
		for since(start) < order.Most && atomic.AddInt64(&launches, 1) <= int64(order.Count) {
			cmd := command(order.File)
			cmd.Stdin = crowd.read
			if err := cmd.Start(); err != nil {
				return err
			}
			crowd.Add(1)
			atomic.AddInt64(&crowd.count, 1)
			go func() {
				defer crowd.Done()
				if err := cmd.Wait(); err != nil {
					fmt.Fprintf(os.Stderr, "%s: %v\n", order.File, err)
				}
			}()
		}
		return nil
	})
	if launches > int64(order.Count) {
		launches = int64(order.Count)
	}
	return Outcome{int(launches), since(start)}, err
}

// processTime in microseconds. Any thread may be one that waits for a child.
func processTime() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}

// release tells what it costs until every goroutine has its exit: an exit wakes
// one goroutine, so each is a turn of its own, and holds up no other.
func release() (any, error) {
	count := int(crowd.count)
	cpu, start := processTime(), time.Now()
	if crowd.write != nil {
		crowd.write.Close()
	}
	crowd.Wait()
	milliseconds := since(start)
	cpu = processTime() - cpu
	if crowd.read != nil {
		crowd.read.Close()
	}
	crowd.read, crowd.write, crowd.count = nil, nil, 0
	return releaseAnswer{Outcome{count, milliseconds}, cpuTimes{cpu, cpu, cpu}, count, 1, 0, nil}, nil
}
