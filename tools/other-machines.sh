#!/bin/bash
# Holds the limits to their contract on machines that this one is not: with control groups v2, and with systemd,
# as root and as an ordinary user. They are one small Linux that runs as an ordinary program (User-Mode Linux) on
# this machine's own files, which it does not change. Needs the Debian packages user-mode-linux, systemd, dbus,
# dbus-user-session, libpam-systemd and kmod, and an account with the number 1000.
set -u
here=$(readlink -f "$0")
repository=$(dirname "$(dirname "$here")")
contract=tests/sandbox/limits/test_contract.py

boot() {  # boot STAGE: starts the small Linux with this script as its first program
  linux mem=2500M rootfstype=hostfs rootflags=/ ro init="$here" STAGE="$1" con=null con0=fd:0,fd:1 quiet </dev/null 2>&1 |
    grep --line-buffered -E '^(===|FAILED|ERROR|E  )|[0-9] (passed|failed)' | tee -a "$log"
}

try() {  # try WHO PYTHON...: the contract, in place of this process
  echo "=== $1"
  shift
  cd "$repository" && exec "$@" -B -m pytest -q -p no:cacheprovider --color=no "$contract" -k "not threads" 2>&1
}  # to start thousands of threads takes such a Linux minutes

python=/usr/bin/python3  # root's own may be where an ordinary user cannot go; of the environment's version
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH="$repository:$(echo "$repository"/.venv/lib/python3*/site-packages)"
become="setpriv --reuid 1000 --regid 1000 --clear-groups"

case "${STAGE:-host}" in
host)
  log=$(mktemp)
  boot groups
  boot systemd
  if grep -qE 'failed|ERROR' "$log" || [ "$(grep -cE "^[3-5][0-9] passed" "$log")" -lt 4 ]; then
    echo "not every mechanism was there and held its contract: see above"
    exit 1
  fi
  echo "every mechanism holds its contract"
  ;;
groups)  # control groups v2: all of them for root, one that is delegated for an ordinary user
  mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
  mkdir -p /dev/shm; mount -t tmpfs tmpfs /dev/shm; mount -t tmpfs -o size=2g tmpfs /tmp; mount -t tmpfs tmpfs /run
  mount -t cgroup2 none /sys/fs/cgroup; ip link set lo up
  (try "control groups v2, as root" $python)
  mkdir /sys/fs/cgroup/delegated; chown -R 1000:1000 /sys/fs/cgroup/delegated
  (echo $BASHPID > /sys/fs/cgroup/delegated/cgroup.procs
   try "control groups v2, delegated to an ordinary user" $become $python)
  echo o > /proc/sysrq-trigger; sleep 5
  ;;
systemd)  # changes are kept in memory, systemd is started on top of them
  mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t tmpfs -o size=1g tmpfs /mnt
  insmod "$(find /usr/lib/uml/modules -name 'overlay.ko*' | head -1)"
  mkdir /mnt/upper /mnt/work /mnt/root
  mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
  cd /mnt/root; mkdir -p old; rm -rf etc/systemd/system/*.wants tmp/*; : > etc/fstab
  cat > etc/systemd/system/contract.service <<UNIT
[Unit]
After=dbus.service systemd-logind.service user@1000.service
Wants=dbus.service systemd-logind.service user@1000.service
[Service]
Type=oneshot
Environment=STAGE=inside
ExecStart=/bin/bash $here
ExecStopPost=/bin/systemctl poweroff --force --force
StandardOutput=tty
StandardError=tty
UNIT
  printf '[Unit]\nRequires=contract.service basic.target\n' > etc/systemd/system/contract.target
  mount -t devtmpfs devtmpfs dev; mkdir -p dev/shm
  mount --move /proc proc; mount --move /sys sys; pivot_root . old
  exec /lib/systemd/systemd --unit=contract.target --log-level=warning --show-status=false
  ;;
inside)
  (try "systemd, as root" $python)
  export XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus
  try "systemd, as an ordinary user" $become $python
  ;;
esac
