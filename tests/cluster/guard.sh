# sh guard.sh LOG PROGRAM ARGUMENT...
# Runs the program and prints its pid. Kills it when standard input ends, which is when the process
# that started the guard is gone, however it went.
trap '' INT TERM HUP # Ctrl-C reaches the whole process group; the end of standard input decides.
log=$1
shift
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
kill -KILL "$watcher" 2>/dev/null
exit "$code"
