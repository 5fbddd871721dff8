module pidpool/bench/runner

go 1.19
