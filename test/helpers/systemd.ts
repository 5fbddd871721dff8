// What systemd.service(5) says, as data: "Table 2. Exit causes and the effect
// of the Restart= settings".

/** The table's columns. */
export const POLICIES = ["no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"] as const;

/** Its rows: an X where the service is restarted. */
export const RESTARTS = {
  "clean exit code or signal": [" ", "X", "X", " ", " ", " ", " "],
  "unclean exit code": [" ", "X", " ", "X", " ", " ", " "],
  "unclean signal": [" ", "X", " ", "X", "X", "X", " "],
  timeout: [" ", "X", " ", "X", "X", " ", " "],
  watchdog: [" ", "X", " ", "X", "X", " ", "X"],
} as const;
