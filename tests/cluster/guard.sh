# sh guard.sh LOG PROGRAM ARGUMENT...
# Runs the program and prints its pid. Kills its own process group when standard input ends, which is
# when the process that started the guard is gone, however it went.
log=$1
shift
"$@" >>"$log" 2>&1 </dev/null &
program=$!
echo "$program"
exec 3<&0
{
  read -r _ <&3
  kill -KILL 0
} >&- 2>&- &
watcher=$!
wait "$program"
code=$?
kill -KILL "$watcher"
exit "$code"
