#!/usr/bin/env bash
# Three consoles in step on this machine: starts three members of etcd, a Redis server and three
# consoles of three-consoles.yaml in a tmux window split in three, and stops them all when it is left.
#
#   sample-configs/three-consoles.sh               until the window is closed, or `q` was pressed in all three
#   sample-configs/three-consoles.sh --for 30s     the same, for so long at most
#   sample-configs/three-consoles.sh --detach      in the background; says how to look at it and how to end it
#
# The program is $MARQUEE, or else the one that was built here, or the one on the PATH, or it is built now.
# Ports are free ones; all files are in one temporary folder, which goes with the rest.
set -euo pipefail
here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
config=$here/three-consoles.yaml

fail() {
    printf 'three-consoles: %s\n' "$@" >&2
    exit 1
}

detach=0
limit=0
while (($#)); do
    case $1 in
        --detach) detach=1 ;;
        --for)
            [[ ${2:-} =~ ^([0-9]+)([smh])$ ]] || fail "--for takes a duration such as 30s, 5m or 1h"
            limit=${BASH_REMATCH[1]}
            case ${BASH_REMATCH[2]} in
                m) limit=$((limit * 60)) ;;
                h) limit=$((limit * 3600)) ;;
            esac
            shift
            ;;
        *)
            echo "usage: three-consoles.sh [--detach] [--for DURATION]" >&2
            exit 2
            ;;
    esac
    shift
done

need() {
    command -v "$1" >/dev/null || missing+=("$1 is not installed: $2")
}
missing=()
need tmux "apt-get install tmux, or your system's package of that name"
need etcd "apt-get install etcd-server, or a release from https://etcd.io/docs/latest/install/"
need redis-server "apt-get install redis-server, or https://redis.io/docs/latest/operate/oss_and_stack/install/"
((${#missing[@]} == 0)) || fail "${missing[@]}"

built() {
    local path
    for path in "$here"/../target/{release,quick,debug}/marquee; do
        [[ -x $path ]] && realpath "$path" && return
    done
    return 1
}
if ! program=${MARQUEE:-$(built || command -v marquee)}; then
    command -v cargo >/dev/null ||
        fail "no program is built here and none is on the PATH: install Rust from https://rustup.rs, or set MARQUEE to the program's path"
    echo "three-consoles: building the program, which takes some minutes"
    (cd "$here/.." && cargo build --release --locked)
    program=$(built)
fi
program=$(command -v "$program") || fail "MARQUEE is $program, which can't be run"
# The consoles are started in another folder than this.
[[ $program == /* ]] || program=$PWD/$program

folder=$(mktemp -d "${TMPDIR:-/tmp}/three-consoles.XXXXXX")
folder=$(cd "$folder" && pwd -P)
# Until there is somebody else to do it.
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/alive"
: >"$folder/errors"

# So many ports that nobody listens at, below those that the system gives to clients.
free_ports() {
    local wanted=$1 port=$((20000 + RANDOM % 10000))
    while ((wanted > 0)); do
        port=$((port + 1))
        if ! (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            wanted=$((wanted - 1))
        fi
    done
}
mapfile -t port < <(free_ports 10)
etcd_ports=("${port[@]:0:3}")
peer_ports=("${port[@]:3:3}")
redis_port=${port[6]}
listen_ports=("${port[@]:7:3}")
export ETCD="127.0.0.1:${etcd_ports[0]},127.0.0.1:${etcd_ports[1]},127.0.0.1:${etcd_ports[2]}"
export REDIS="127.0.0.1:$redis_port"

# What a console runs as, the first of them being 0. It gets a home of its own, so that nothing is left in the user's.
console() {
    as=(env "CONSOLE=hall-$(($1 + 1))" "LISTEN=127.0.0.1:${listen_ports[$1]}" "ETCD=$ETCD" "REDIS=$REDIS"
        "XDG_STATE_HOME=$folder/hall-$(($1 + 1))" "XDG_RUNTIME_DIR=$folder/hall-$(($1 + 1))" "$program")
}
console 0
told=$("${as[@]}" validate "$config" 2>&1) || fail "$told"

# The window is one of the tmux around this, or else the only one of a tmux of our own.
own_tmux=1
[[ -z ${TMUX:-} ]] || ((detach)) || own_tmux=0
tmux=(tmux)
((own_tmux)) && tmux=(env -u TMUX tmux -S "$folder/tmux" -f /dev/null)
size=$( (stty size </dev/tty) 2>/dev/null) || size="48 180"
read -r rows columns <<<"$size"
# Side by side where each gets the 60 columns that a banner needs.
layout=even-vertical
((columns < 180)) || layout=even-horizontal

# From here on until the end of it all: starts everything, waits, and stops it, whatever became of the rest of this
# script. It is the only one that knows the processes. Its input closes when the rest is gone, even by `kill -9`.
supervise() {
    trap '' HUP
    trap 'over=1' TERM INT
    trap - EXIT
    set +e
    local servers=() panes=() window='' over=0 began=$SECONDS place
    cd "$folder" || return
    start_servers && open_window && touch started
    if [[ -e started ]]; then
        until ((over)) || ! "${tmux[@]}" list-panes -t "$window" </dev/null >/dev/null 2>&1; do
            ((limit == 0 || SECONDS - began < limit)) || break
            a_moment || break
        done
    fi
    # The consoles first: they give back what they hold, and then there is nobody who misses a server.
    [[ -n $window ]] && "${tmux[@]}" kill-window -t "$window" </dev/null >/dev/null 2>&1
    gone "${panes[@]}"
    ((own_tmux)) && "${tmux[@]}" kill-server </dev/null >/dev/null 2>&1
    # At once: what they keep goes with the folder, and the last member of an etcd is slow to end otherwise.
    ((${#servers[@]})) && kill -KILL "${servers[@]}" 2>/dev/null
    wait
    [[ -e started ]] || tail -n 3 ./*.log >&2
    cd / && rm -rf "$folder"
}

# Waits a little; false once whoever started this is gone.
a_moment() {
    if ((detach)); then
        sleep 0.2
    else
        read -r -t 0.2
        (($? > 128))
    fi
}

all_live() {
    local pid
    for pid in "$@"; do
        kill -0 "$pid" 2>/dev/null || return 1
    done
}

start_servers() {
    local cluster='' place
    for place in 0 1 2; do
        cluster+=${cluster:+,}n$place=http://127.0.0.1:${peer_ports[$place]}
    done
    for place in 0 1 2; do
        etcd --name "n$place" --data-dir "$folder/n$place" --initial-cluster "$cluster" \
            --listen-client-urls "http://127.0.0.1:${etcd_ports[$place]}" \
            --advertise-client-urls "http://127.0.0.1:${etcd_ports[$place]}" \
            --listen-peer-urls "http://127.0.0.1:${peer_ports[$place]}" \
            --initial-advertise-peer-urls "http://127.0.0.1:${peer_ports[$place]}" \
            </dev/null >"etcd-$place.log" 2>&1 &
        servers+=($!)
    done
    redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$folder" --save '' --appendonly yes \
        --appendfsync everysec --maxmemory-policy noeviction </dev/null >redis.log 2>&1 &
    servers+=($!)
    for place in "${etcd_ports[@]}" "$redis_port"; do
        until (: <>"/dev/tcp/127.0.0.1/$place") 2>/dev/null; do
            ((over)) && return 1
            ((SECONDS - began < 30)) && all_live "${servers[@]}" && a_moment || return 1
        done
    done
}

open_window() {
    local place
    for place in 0 1 2; do
        mkdir -m 700 "hall-$((place + 1))"
        console $place
        if ((place)); then
            "${tmux[@]}" split-window -t "$window" "${as[@]}" run --config "$config"
        elif ((own_tmux)); then
            window=$("${tmux[@]}" new-session -d -x "$columns" -y "$rows" -P -F '#{window_id}' \
                "${as[@]}" run --config "$config")
        else
            window=$("${tmux[@]}" new-window -n three-consoles -P -F '#{window_id}' "${as[@]}" run --config "$config")
        fi </dev/null || return 1
        "${tmux[@]}" select-layout -t "$window" "$layout" </dev/null
    done >/dev/null
    if ((own_tmux)); then
        "${tmux[@]}" set-option -g mouse on
        "${tmux[@]}" set-option -g status-right ''
        "${tmux[@]}" set-option -g status-left-length 200
        "${tmux[@]}" set-option -g status-left ' q ends a console; Ctrl-B and an arrow goes to another; Ctrl-B d ends all '
        "${tmux[@]}" set-option -g window-status-current-format ''
    fi </dev/null
    mapfile -t panes < <("${tmux[@]}" list-panes -t "$window" -F '#{pane_pid}' </dev/null)
}

# Waits until these processes are gone; kills at last those that do not go.
gone() {
    local pid tries
    for pid in "$@"; do
        for ((tries = 0; tries < 50; tries++)); do
            kill -0 "$pid" 2>/dev/null || continue 2
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null
    done
}

# In a process group of its own, so that Ctrl-C is for the rest alone.
set -m
supervise <"$folder/alive" >/dev/null 2>"$folder/errors" &
set +m
supervisor=$!
trap - EXIT
exec 9>"$folder/alive" 8<"$folder/errors"
until [[ -e $folder/started ]]; do
    if ! kill -0 "$supervisor" 2>/dev/null; then
        cat <&8 >&2
        fail "etcd, Redis or tmux could not be started"
    fi
    sleep 0.05
done

if ((detach)); then
    printf '%s\n' "look    tmux -S $folder/tmux attach" "end     kill $supervisor" "folder  $folder"
    for place in 0 1 2; do
        echo "hall-$((place + 1))  http://127.0.0.1:${listen_ports[$place]}"
    done
elif ((own_tmux)); then
    # However it ends, and whatever it says then: the consoles are left.
    "${tmux[@]}" attach 8<&- 9>&- || true
    exec 9>&-
    wait "$supervisor"
else
    echo "three-consoles: they are in the window three-consoles; Ctrl-C here ends them, or close that window"
    trap 'exec 9>&-' INT TERM HUP
    wait "$supervisor" || wait "$supervisor"
fi
