# sh guard.sh LOG SCRATCH PROGRAM ARGUMENT...
# Runs the program and prints its pid. When standard input ends, which is when the process that
# started the guard is gone, however it went, it kills the program with all its children and removes
# the folder SCRATCH (which may be empty text).
log=$1 scratch=$2
shift 2
"$@" >>"$log" 2>&1 </dev/null &
program=$!
echo "$program"
exec 3<&0
{
  read -r _ <&3
  kill -KILL "$program"
} >&- 2>&- &
watcher=$!
wait "$program"
code=$?
kill -KILL "$watcher"
if [ "$code" = 137 ]; then # SIGKILL
  rm -rf "$scratch"
  kill -KILL 0
fi
exit "$code"
