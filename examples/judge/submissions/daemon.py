# Leaves processes behind that no session and no process group knows of.
import os
import time

for _ in range(10):
    if os.fork() == 0:
        os.setsid()
        time.sleep(3600)
numbers = input().split()
print(sum(map(int, numbers)))
