#!/usr/bin/env bash
# A Slurm of some virtual nodes on this machine, without systemd or cgroups: start, stop, and what a
# test needs to break it.
#   daemons.sh start NODES CPUS | stop | kill-node NAME | start-node NAME | kill-controller | start-controller
# Needs root, slurmctld, slurmd, slurm-client and munge. Everything lives under $CLUSTER_ROOT; only
# processes whose numbers were written there are ended.
set -euo pipefail
root=${CLUSTER_ROOT:?name a scratch folder}
export SLURM_CONF=$root/slurm.conf

say() { printf 'daemons: %s\n' "$1" >&2; }

controller() {
    slurmctld -D -i "$@" >> "$root/log/slurmctld.out" 2>&1 &
    echo $! > "$root/controller.pid"
}

node() {
    mkdir -p "$root/spool-$1"
    slurmd -D -N "$1" >> "$root/log/slurmd-$1.out" 2>&1 &
    echo $! > "$root/node-$1.pid"
}

start() {
    local nodes=$1 cpus=$2 host names= i
    host=$(hostname -s)
    mkdir -p "$root"/{state,log,munge}
    chmod 755 "$root"
    head -c 1024 /dev/urandom > "$root/munge/munge.key"
    chmod 600 "$root/munge/munge.key"
    chown -R munge:munge "$root/munge"
    chmod 755 "$root/munge"
    setpriv --reuid munge --regid munge --clear-groups \
        munged -F --socket="$root/munge/sock" --key-file="$root/munge/munge.key" \
        --pid-file="$root/munge/munged.pid" --seed-file="$root/munge/seed" \
        --log-file="$root/munge/munged.log" > /dev/null 2>&1 &
    echo $! > "$root/munge.pid"
    for _ in $(seq 100); do [ -S "$root/munge/sock" ] && break; sleep 0.05; done
    cat > "$SLURM_CONF" <<CONF
ClusterName=repgeo
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=${CLUSTER_PORT:-16817}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$root/munge/sock,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$root/state
SlurmdSpoolDir=$root/spool-%n
SlurmctldPidFile=$root/slurmctld.pid
SlurmdPidFile=$root/slurmd-%n.pid
SlurmctldLogFile=$root/log/slurmctld.log
SlurmdLogFile=$root/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
JobRequeue=1
ReturnToService=2
MaxArraySize=1001
FirstJobId=1
InactiveLimit=0
KillWait=3
MinJobAge=60
SlurmctldTimeout=10
SlurmdTimeout=10
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
CONF
    # From 24.05 on a cgroup plugin is loaded unless told otherwise; older versions know no such value.
    local version
    version=$(slurmd -V | grep -oE '[0-9]+\.[0-9]+' | head -1)
    if [ "$(printf '%s\n24.05\n' "$version" | sort -V | head -1)" = 24.05 ]; then
        echo 'CgroupPlugin=disabled' > "$root/cgroup.conf"
    fi
    for i in $(seq "$nodes"); do
        echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((${CLUSTER_PORT:-16817} + i)) CPUs=$cpus State=UNKNOWN" >> "$SLURM_CONF"
        names+="${names:+,}n$i"
    done
    echo "PartitionName=all Nodes=$names Default=YES MaxTime=30 State=UP" >> "$SLURM_CONF"
    controller -c
    for i in $(seq "$nodes"); do node "n$i"; done
    for _ in $(seq 200); do
        if [ "$(sinfo -h -o %T -N 2>/dev/null | grep -c '^idle$')" = "$nodes" ]; then
            say "$nodes nodes are up"
            return
        fi
        sleep 0.1
    done
    say 'the nodes did not come up'
    tail -n 20 "$root"/log/* >&2
    exit 1
}

stop() {
    [ -d "$root" ] || return 0
    local file
    scancel --user=root > /dev/null 2>&1 || true
    sleep 1
    for file in "$root"/*.pid; do
        [ -e "$file" ] && kill -KILL "$(cat "$file")" 2> /dev/null || true
    done
    rm -rf "$root"
}

case ${1:-} in
    start) start "$2" "$3" ;;
    stop) stop ;;
    kill-node) kill -KILL "$(cat "$root/node-$2.pid")" ;;
    start-node) node "$2" ;;
    kill-controller) kill -KILL "$(cat "$root/controller.pid")" ;;
    start-controller)
        # A queue that was not saved yet is lost, and its numbers with it. The nodes refuse a job whose
        # number they have seen, so the next numbers begin beyond every one that was given.
        first=$(($(sed -n 's/^FirstJobId=//p' "$SLURM_CONF") + 1000))
        sed -i "s/^FirstJobId=.*/FirstJobId=$first/" "$SLURM_CONF"
        controller
        ;;
    *) echo "usage: $0 start NODES CPUS | stop | kill-node NAME | start-node NAME | kill-controller | start-controller" >&2; exit 2 ;;
esac
