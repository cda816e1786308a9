# SPDX-License-Identifier: Apache-2.0
# Work for a disk and a network card, and its verification; in a guest and in dom0, until there is /run/stop.
# usage: sh traffic.sh disk NAME MIB SIZE BS FLAG   writes SIZE bytes of lines "NAME n" at MIB, reads them back, again and again
#        sh traffic.sh blocks MIB COUNT        writes COUNT blocks of 4 KiB of lines "block n", in a circle
#        sh traffic.sh send NAME | nc ...      numbered lines; /run/NAME.sent: how many
#        nc ... | sh traffic.sh receive NAME   /run/NAME.received: how many came, each as it must be
#        sh traffic.sh moved NAME...           waits until each has got on twice
# /run/NAME: how far it is; NAME.end: how far it came; NAME.gaps: what it waited, in 0.01 s, where longer than LONG;
# bad: what is wrong.
LONG=20

now()
{
    read -r t x </proc/uptime
    t=${t%.*}${t#*.}
}

bad() { echo "$*" >>/run/bad; }

disk()
{
    n=0
    until [ -e /run/stop ]; do
        n=$((n + 1))
        yes "$1 $n" | head -c "$3" >"/run/$1.want"
        dd if="/run/$1.want" of=/dev/xvda bs="$4" seek=$(($2 * 1048576 / $4)) "$5" 2>/dev/null || bad "$1 $n: not written"
        dd if=/dev/xvda bs="$3" skip=$(($2 * 1048576 / $3)) count=1 iflag=direct 2>/dev/null | cmp -s - "/run/$1.want" ||
            bad "$1 $n: not what was written"
        echo $n >"/run/$1"
        sleep 0.2
    done
    echo $n >"/run/$1.end"
}

blocks()
{
    n=0
    now
    last=$t
    until [ -e /run/stop ]; do
        n=$((n + 1))
        yes "block $n" | head -c 4096 | dd of=/dev/xvda bs=4096 seek=$(($1 * 256 + n % $2)) oflag=direct 2>/dev/null ||
            bad "block $n: not written"
        echo $n >/run/blocks
        now
        [ $((t - last)) -le $LONG ] || echo $((t - last)) >>/run/blocks.gaps
        sleep 0.05
        now
        last=$t
    done
    echo $n >/run/blocks.end
}

send()
{
    n=0
    until [ -e /run/stop ]; do
        seq $((n + 1)) $((n + 500))
        n=$((n + 500))
        sleep 0.1
    done
    echo $n >"/run/$1.sent"
}

receive()
{
    awk -v name="/run/$1" -v long=$LONG '
        $0 != ++n { print name, n, "is", $0 >>"/run/bad"; exit }
        n % 500 == 0 {
            getline t <"/proc/uptime"
            close("/proc/uptime")
            sub(/ .*/, "", t)
            t *= 100
            if (last && t - last > long)
                print int(t - last) >>(name ".gaps")
            last = t
            print n >name
            close(name)
        }
        END { print n >(name ".received") }'
}

# WHO: one that does not move on, and what is known of it. Nothing takes as long.
stuck()
{
    echo "$1 does not move: $(cat "/run/$1" /run/bad)"
    dmesg | tail -n 20
    grep xen /proc/interrupts
    cat /proc/net/dev /proc/net/tcp /proc/net/tcp6
    ps
    exit 1
} 2>/dev/null

moved()
{
    for name in "$@"; do
        tries=0
        # Who writes it makes it empty first.
        until from=$(cat "/run/$name") && [ -n "$from" ]; do
            sleep 0.02
        done
        until [ "$(cat "/run/$name")" -gt $((from + 1)) ]; do
            tries=$((tries + 1))
            [ $tries -lt 5000 ] || stuck "$name"
            sleep 0.02
        done
    done 2>/dev/null
}

"$@"
