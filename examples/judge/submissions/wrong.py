numbers = input().split()
print(max(map(int, numbers)))
