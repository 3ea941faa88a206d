# sh unpack_package.sh FOLDER LIBRARIES PACKAGE PROGRAM...
# Unpacks a Debian package into FOLDER without installing anything, with its shared libraries where
# LIBRARIES is "with". FOLDER/run/NAME then starts a program; PROGRAM is its path in the package,
# which may be a pattern. Where PACKAGE only leads to a version of its name, that one is taken.
set -e
folder=$1 libraries=$2 package=$3
shift 3

depends() { apt-cache depends --important "$@" | sed -n 's/^ *|\{0,1\}Depends: //p'; }

# A C library of another version than the machine's loader crashes; LLVM is for PostgreSQL's JIT.
libraries_of() { depends "$@" | grep '^lib' | grep -Ev '^lib(c6|gcc-s1|stdc\+\+6|llvm.*)$'; }

download() {
  version=$(depends "$package" | grep "^$package-[0-9.]*$" | head -n 1)
  needed=
  if [ "$libraries" = with ]; then
    needed=$(libraries_of "${version:-$package}")
    needed="$needed $(libraries_of --recurse $needed)"
  fi
  apt-get download "${version:-$package}" $(printf '%s\n' $needed | sort -u)
}

cd "$folder"
# A fresh machine has no package lists, an old one has old ones.
download || { apt-get update; download; }
for file in *.deb; do
  dpkg-deb -x "$file" .
  rm "$file"
done

mkdir run
for program in "$@"; do
  path=$(ls -d $program | tail -n 1)
  cat >"run/${path##*/}" <<END
#!/bin/sh
tree=\$(dirname "\$0")/..
for libraries in "\$tree"/usr/lib/*-linux-gnu "\$tree"/lib/*-linux-gnu; do
  [ -d "\$libraries" ] && LD_LIBRARY_PATH=\$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH
exec "\$tree/$path" "\$@"
END
  chmod 755 "run/${path##*/}"
done
