open("/etc/pwned", "w")
