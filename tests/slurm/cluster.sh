#!/usr/bin/env bash
# Start and stop a SLURM cluster of three nodes on this machine, for tests.
#   cluster.sh check     says what is missing, if anything
#   cluster.sh start DIR     cluster.sh stop DIR
# DIR holds its configuration, state and logs. Needs root, because SLURM reads /etc/slurm.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

check() {
    for tool in slurmctld slurmd munged; do
        command -v "$tool" > /dev/null || {
            echo "$tool is missing: apt-get install --no-install-recommends slurm-wlm munge"
            exit 3
        }
    done
    if [ -e /etc/slurm/slurm.conf ]; then
        echo "/etc/slurm/slurm.conf is there already: this machine has a cluster of its own"
        exit 4
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "it needs root, because SLURM reads /etc/slurm"
        exit 5
    fi
}

start() {
    check
    mkdir -p "$dir/state" "$dir"/spool/node{1,2,3} /etc/slurm
    sed "s|@DIR@|$dir|; s|@HOST@|$(hostname -s)|" "$here/slurm.conf" > "$dir/slurm.conf"
    echo 'NodeName=node[1-3] Name=gpu File=/dev/null' > "$dir/gres.conf"
    ln -s "$dir/slurm.conf" "$dir/gres.conf" /etc/slurm/
    if ! munge --no-input > /dev/null 2>&1; then
        install -d -o munge -g munge -m 755 /run/munge
        runuser -u munge -- munged
        touch "$dir/started-munged"
    fi
    slurmctld -c
    for node in node{1,2,3}; do slurmd -N $node; done
    for _ in $(seq 100); do
        [ "$(sinfo --noheader --Node --partition=main --states=idle 2> /dev/null | wc -l)" -eq 3 ] && return
        sleep 0.2
    done
    echo "the cluster does not come up:"
    tail "$dir"/*.log
    exit 6
}

# SIGTERM to a process, and its end awaited.
end() {
    kill "$1" 2> /dev/null || true
    for _ in $(seq 150); do kill -0 "$1" 2> /dev/null && sleep 0.1 || break; done
}

stop() {
    # What a failed test left, stopped processes too.
    if [ -e "$dir/slurmctld.pid" ]; then
        squeue --noheader --format=%i | xargs --no-run-if-empty scancel || true
        for _ in $(seq 100); do [ -n "$(squeue --noheader)" ] && sleep 0.1 || break; done
    fi
    for file in "$dir"/*.pid; do
        [ -e "$file" ] || continue
        end "$(cat "$file")"
    done
    if [ -e "$dir/started-munged" ]; then end "$(pgrep -x munged)"; fi
    for name in slurm.conf gres.conf; do
        if [ "$(readlink "/etc/slurm/$name")" = "$dir/$name" ]; then rm "/etc/slurm/$name"; fi
    done
    rm -rf "$dir"
}

dir=${2:-}
case "$1 ${dir:+DIR}" in
    "check ") check ;;
    "start DIR") mkdir -p "$dir" && dir=$(cd "$dir" && pwd) && start ;;
    "stop DIR") stop ;;
    *) echo "usage: $0 check | start DIR | stop DIR" >&2 && exit 2 ;;
esac
