package main

import (
	"fmt"
	"os"
	"runtime"
)

const megabyte = 1 << 20

var kept []any

func residentPages() (int, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, resident int
	_, err = fmt.Sscan(string(text), &size, &resident)
	return resident, err
}

// occupy makes memory of either kind in Go's one heap.
func occupy(order Order) (any, error) {
	for i := 0; i < order.Megabytes; i++ {
		if order.Kind == "buffers" {
			buffer := make([]byte, megabyte)
			for j := range buffer {
				buffer[j] = 1
			}
			kept = append(kept, buffer)
			continue
		}
		const chunk = 8192
		for j := 0; j < megabyte/(chunk*8); j++ {
			doubles := make([]float64, chunk)
			for k := range doubles {
				doubles[k] = float64(k) + 0.5
			}
			kept = append(kept, doubles)
		}
	}
	pages, err := residentPages()
	return memoryAnswer{pages * os.Getpagesize() / megabyte}, err
}

func usage() (any, error) {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	pages, err := residentPages()
	return usageAnswer{stats.HeapAlloc, pages * os.Getpagesize()}, err
}
