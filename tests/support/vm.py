# SPDX-License-Identifier: MIT
"""A virtual machine with real UARTs (QEMU, software emulation) on the host's own files, and a cable from one of them to
whatever plays the modem. Every wait has a deadline; the machine ends with the test, whatever happens.

/dev/ttyS0 is the console, /dev/ttyS1 the modem's port, /dev/ttyS2 how the test gives commands; there is no UART
behind /dev/ttyS3. /dev/ttyS4 is for a modem that runs in the machine: Machine.modem_inside() lays a cable to it. QEMU shows DCD, DSR and CTS always on and tells nobody of DTR: a cable with its wires tied."""
import base64
import ctypes
import gzip
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CACHE = Path(os.environ.get("LONGLINE_VM_CACHE") or Path(os.environ.get("HOME", "/root")) / ".cache" / "longline-vm")
AGENT = Path(__file__).resolve().with_name("vm_agent.py")
MODULES = ["virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "netfs", "fscache",
           "9pnet", "9pnet_virtio", "9p", "overlay", "slhc", "ppp_generic", "ppp_async",
           "dummy", "veth", "tun"]
MODEMSIM = Path(os.environ.get("LONGLINE_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve() / "tests/fakes/modemsim"
BOOT_PATIENCE = 180
PATIENCE = 120

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /host /over /new
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /modules/$module.ko; done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 root /host
/bin/busybox mount -t tmpfs over /over
/bin/busybox mkdir /over/upper /over/work
/bin/busybox mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work overlay /new
for folder in proc sys dev; do /bin/busybox mount --move /$folder /new/$folder; done
/bin/busybox mkdir -p /new/dev/pts
/bin/busybox mount -t devpts -o mode=620,gid=5,ptmxmode=666 devpts /new/dev/pts
/bin/busybox mount -t tmpfs run /new/run
/bin/busybox mkdir -m 1777 /new/run/lock
exec /bin/busybox switch_root /new /bin/sh -c '/usr/bin/python3 {agent}; echo o > /proc/sysrq-trigger; sleep 60'
"""


def missing():
    """What the machine needs and is not there; "" when it can run."""
    programs = [p for p in ("qemu-system-x86_64", "busybox", "cpio", "dpkg-deb") if not shutil.which(p)]
    if programs:
        return "no " + ", ".join(programs)
    if os.geteuid() != 0:
        return "the machine reads the host's files as root"
    return "" if kernel_package() else f"no kernel package in {CACHE}"


def require_vm():
    """Ends the test file with meson's status for a skip where there is no machine; in CI a skip is a failure."""
    if lacking := missing():
        print(f"skipped: {lacking} (scripts/setup --test)")
        sys.exit(77)


def kernel_package():
    packages = sorted(CACHE.glob("linux-image-*_amd64.deb"))
    return packages[-1] if packages else None


def unpack_kernel(folder):
    """The kernel and its modules into `folder`, without installing them; returns the kernel."""
    wanted = ["./boot/vmlinuz-*"] + [f"*/{module}.ko*" for module in MODULES]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(kernel_package())], stdout=subprocess.PIPE) as package:
        subprocess.run(["tar", "-x", "-C", str(folder), "--wildcards", *wanted], stdin=package.stdout, check=True,
                       timeout=5 * PATIENCE)   # xz, beside other tests
    return next(folder.glob("boot/vmlinuz-*"))


def die_with_parent():
    """A test that is killed leaves no machine behind that goes on taking a processor."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def make_initrd(folder):
    tree = folder / "initrd"
    (tree / "bin").mkdir(parents=True)
    (tree / "modules").mkdir()
    shutil.copy(shutil.which("busybox"), tree / "bin" / "busybox")
    for module in MODULES:
        shutil.copy(next(folder.glob(f"lib/modules/**/{module}.ko")), tree / "modules")
    (tree / "init").write_text(INIT.format(modules=" ".join(MODULES), agent=AGENT))
    (tree / "init").chmod(0o755)
    names = "\n".join(str(p.relative_to(tree)) for p in sorted(tree.rglob("*")))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), cwd=tree, check=True,
                             stdout=subprocess.PIPE, timeout=PATIENCE).stdout
    path = folder / "initrd.gz"
    path.write_bytes(gzip.compress(archive, 1))
    return path


class Cable:
    """Between the machine's UART and a modem on a TCP port; without one, bytes fall to the ground."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.uart = None
        self.modem = None
        self.sent = b""              # by the machine, since the last plug()
        self.stalled = False         # nobody takes what the machine sends
        self.lock = threading.Lock()
        self.wake_in, self.wake_out = os.pipe()
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.listener.settimeout(BOOT_PATIENCE)
        self.uart = self.listener.accept()[0]
        self.thread.start()

    def plug(self, name):
        """`name`: "tcp:HOST:PORT" of a modem."""
        host, port = name.removeprefix("tcp:").rsplit(":", 1)
        with self.lock:
            self.modem = socket.create_connection((host, int(port)), PATIENCE)
            self.sent = b""
        os.write(self.wake_out, b"x")

    def join(self, other):
        """Another UART of the machine at the modem's end, through its socket: a null modem."""
        with self.lock:
            self.modem = other.dup()
            self.sent = b""
        os.write(self.wake_out, b"x")

    def unplug(self):
        with self.lock:
            if self.modem:
                self.modem.close()
                self.modem = None
        os.write(self.wake_out, b"x")

    def send(self, data):
        """As if the modem had sent it."""
        with self.lock:
            self.uart.sendall(data)

    def stall(self, on):
        self.stalled = on
        os.write(self.wake_out, b"x")

    def close(self):
        self.ended = True
        os.write(self.wake_out, b"x")
        self.thread.join(5)
        self.unplug()
        if self.uart:
            self.uart.close()
        self.listener.close()

    def _run(self):
        while not self.ended:
            modem = self.modem
            sources = [self.wake_in] + ([] if self.stalled else [self.uart]) + ([modem] if modem else [])
            try:
                ready = select.select(sources, [], [], 5)[0]
                if self.wake_in in ready:
                    os.read(self.wake_in, 64)
                if self.uart in ready:
                    data = self.uart.recv(4096)
                    if not data:
                        return
                    with self.lock:
                        self.sent += data
                        if self.modem:
                            self.modem.sendall(data)
                if modem and modem in ready and modem is self.modem:
                    data = modem.recv(4096)
                    if data:
                        self.send(data)
                    else:
                        self.unplug()
            except (OSError, ValueError):
                if self.ended:
                    return
                self.unplug()


class Done:
    """How a command in the machine ended."""

    def __init__(self, answer):
        self.status = answer["status"]
        self.stdout = base64.b64decode(answer["stdout"]).decode(errors="replace")
        self.stderr = base64.b64decode(answer["stderr"]).decode(errors="replace")

    def __repr__(self):
        return f"status {self.status}\nstdout: {self.stdout}\nstderr: {self.stderr}"


class InsideModem:
    """A modemsim that runs in the machine."""

    def __init__(self, machine, root):
        self.machine = machine
        self.root = root
        self.runs = True

    def events(self, name=None):
        lines = (self.machine.do("read", path=f"{self.root}/modem.jsonl") or "").splitlines()
        events = [json.loads(line) for line in lines]
        return [event for event in events if name is None or event["event"] == name]

    def calls(self):
        return [tuple(line.split()) for line in (self.machine.do("read", path=f"{self.root}/calls") or "").splitlines()]

    def signal(self, number):
        self.machine.do("kill", pid=self.machine.do("modem-pid", name=self.root), signal=number)

    def stop(self):
        if self.runs:
            self.runs = False
            self.machine.cable.unplug()
            self.machine.do("modem-end", name=self.root)


class Machine:
    """A running virtual machine. Use it as a context manager."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="longline-vm-"))
        self.process = None
        self.cable = None
        self.control = None
        self.patch = None
        self.answers = {}
        self.news = threading.Condition()
        self.asked = 0
        try:
            self._boot()
        except BaseException:
            print(self.console()[-4000:], file=sys.stderr)
            self.close()
            raise

    def _boot(self):
        kernel = unpack_kernel(self.folder)
        initrd = make_initrd(self.folder)
        self.cable = Cable(str(self.folder / "modem.sock"))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / "control.sock"))
        listener.listen(1)
        listener.settimeout(BOOT_PATIENCE)
        patch = socket.socket(socket.AF_UNIX)
        patch.bind(str(self.folder / "patch.sock"))
        patch.listen(1)
        patch.settimeout(BOOT_PATIENCE)
        self.log = open(self.folder / "console.log", "wb")
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "512", "-display", "none", "-no-reboot", "-nic", "none",
             "-monitor", "none", "-kernel", str(kernel), "-initrd", str(initrd),
             "-append", "no_timer_check console=ttyS0 quiet panic=-1 mitigations=off 8250.nr_uarts=5",
             "-virtfs", "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap", "-serial", "stdio",
             "-serial", f"unix:{self.folder}/modem.sock", "-serial", f"unix:{self.folder}/control.sock",
             "-chardev", f"socket,id=patch,path={self.folder}/patch.sock", "-device", "pci-serial,chardev=patch"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        self.cable.start()
        self.patch = patch.accept()[0]
        patch.close()
        self.control = listener.accept()[0]
        listener.close()
        threading.Thread(target=self._listen, daemon=True).start()
        self._answer("ready", BOOT_PATIENCE)

    def _listen(self):
        pending = b""
        while True:
            try:
                data = self.control.recv(65536)
            except OSError:
                data = b""
            with self.news:
                if not data:
                    self.answers["gone"] = {}
                    self.news.notify_all()
                    return
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    try:
                        answer = json.loads(line)
                        self.answers[answer["id"]] = answer
                    except (ValueError, KeyError, TypeError):
                        pass
                self.news.notify_all()

    def _answer(self, name, patience):
        with self.news:
            if not self.news.wait_for(lambda: name in self.answers or "gone" in self.answers, patience):
                raise AssertionError(f"the machine did not answer {name} within {patience} s:\n{self.console()[-2000:]}")
            if name not in self.answers:
                raise AssertionError(f"the machine is gone:\n{self.console()[-2000:]}")
            return self.answers.pop(name)

    def ask(self, op, **arguments):
        """Starts something in the machine; wait() has its answer."""
        with self.news:
            self.asked += 1
            name = self.asked
        self.control.sendall(json.dumps({"id": name, "op": op, **arguments}).encode() + b"\n")
        return name

    def wait(self, name, patience=PATIENCE):
        answer = self._answer(name, patience)
        if "error" in answer:
            raise AssertionError(f"in the machine: {answer['error']}")
        return Done(answer) if "status" in answer else answer.get("value")

    def do(self, op, **arguments):
        return self.wait(self.ask(op, **arguments))

    def start(self, *argv, stdin="", env=None, patience=PATIENCE):
        return self.ask("run", argv=[str(a) for a in argv], stdin=stdin, env=env or {}, patience=patience)

    def run(self, *argv, stdin="", env=None, patience=PATIENCE):
        return self.wait(self.start(*argv, stdin=stdin, env=env, patience=patience), patience + 10)

    def shell(self, text, **options):
        """What commands print that must not fail."""
        done = self.run("sh", "-ec", text, **options)
        assert done.status == 0, done
        return done.stdout

    def modem_inside(self, scenario, root):
        """modemsim in the machine, so that its far end can be a pppd there, at the other end of ttyS1's cable."""
        self.do("write", path=f"{root}/modem.toml", text=scenario)
        self.do("write", path=f"{root}/calls", text="")
        self.do("modem", name=root, argv=[str(MODEMSIM), f"{root}/modem.toml", "--log", f"{root}/modem.jsonl", "--calls", f"{root}/calls",
                                          "--listen", "127.0.0.1:0"], tty="/dev/ttyS4")
        self.cable.join(self.patch)
        return InsideModem(self, root)

    def until(self, question, what, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while True:
            answer = question()
            if answer:
                return answer
            if time.monotonic() > deadline:
                raise AssertionError(f"timed out waiting for {what}")
            time.sleep(0.2)   # each question costs the machine a process or two

    def console(self):
        path = self.folder / "console.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait(10)
            self.log.close()
        if self.control:
            self.control.close()
        if self.patch:
            self.patch.close()
        if self.cable:
            if self.cable.thread.is_alive():
                self.cable.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
