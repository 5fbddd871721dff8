package main

// Order holds the fields of all orders; see ../../runner/protocol.ts.
type Order struct {
	Op           string   `json:"op"`
	File         string   `json:"file"`
	Args         []string `json:"args"`
	InFlight     int      `json:"inFlight"`
	Milliseconds float64  `json:"milliseconds"`
	Least        int      `json:"least"`
	Most         float64  `json:"most"`
	Count        int      `json:"count"`
	Bytes        int      `json:"bytes"`
	Megabytes    int      `json:"megabytes"`
	Kind         string   `json:"kind"`
}

// Outcome is what many runs took.
type Outcome struct {
	Launches     int     `json:"launches"`
	Milliseconds float64 `json:"milliseconds"`
}

// Delay is always null: there is no event loop.
type Delay struct{}

type churnAnswer struct {
	Outcome
	Delay *Delay `json:"delay"`
}

type captureAnswer struct {
	Outcome
	Bytes int `json:"bytes"`
}

type latencyAnswer struct {
	Launches int     `json:"launches"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
}

type quietAnswer struct {
	Delay *Delay `json:"delay"`
}

type cpuTimes struct {
	Reaper  float64 `json:"reaper"`
	Main    float64 `json:"main"`
	Process float64 `json:"process"`
}

type releaseAnswer struct {
	Outcome
	CPU     cpuTimes `json:"cpu"`
	Turns   int      `json:"turns"`
	Largest int      `json:"largest"`
	Longest float64  `json:"longest"`
	Delay   *Delay   `json:"delay"`
}

type memoryAnswer struct {
	ResidentMegabytes int `json:"residentMegabytes"`
}

type usageAnswer struct {
	HeapBytes     uint64 `json:"heapBytes"`
	ResidentBytes int    `json:"residentBytes"`
}
