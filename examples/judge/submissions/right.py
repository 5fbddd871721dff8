numbers = input().split()
print(sum(map(int, numbers)))
