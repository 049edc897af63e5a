# SPDX-License-Identifier: MIT
"""Shows gdb the green threads of libverd, in a live process or a core file.

    info verd               all of them: what each waits for, its stack, where it was spawned
    verd 5                  goes to one: bt, frame, up, info locals are about it from then on
    verd 2.5                the same of the second hub, where there are several
    verd off                back to what the OS thread does
    verd apply all bt       a command for each; or for some: verd apply 1 3-5 bt full

gdb loads it by itself with a program that has libverd in it, if it lies in the directory that gdb takes for safe
(make install); else: source verd-gdb.py. All that it has to know of the library it reads from the program:
core/debug/layout.c.
"""

import functools
import re
import struct
import time
import types

import gdb
import gdb.unwinder

MAGIC = b"verd's layout \n\0"
VERSION = 1
LOST = "its stack is not in the core file"
ADDRESS_MASK = (1 << 48) - 1  # of a return address that may be signed

def memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))

def pointer(address):
    return struct.unpack("=Q", memory(address, 8))[0]

def decode(data):
    """The string that ends in zero."""
    return data.split(b"\0")[0].decode("utf-8", "replace")

# What was asked once is kept within a command.
kept = functools.lru_cache(maxsize=None)

@kept
def text(address):
    return gdb.Value(address).cast(gdb.lookup_type("char").pointer()).string("utf-8", "replace")

class Layout:
    """Where what is: core/debug/layout.c."""

    def __init__(self):
        address = self.find()
        head = memory(address, 32)
        magic, version, count, self.registry = struct.unpack("=16sIIQ", head)
        if magic != MAGIC or version != VERSION:
            raise gdb.GdbError("The program's libverd and this verd-gdb.py are of different versions.")
        self.values = {}
        for name, value in struct.iter_unpack("=28sI", memory(address + 32, 32 * count)):
            self.values[decode(name)] = value

    def __getitem__(self, name):
        return self.values[name]

    @staticmethod
    def find():
        try:
            return int(gdb.parse_and_eval("(unsigned long) &verd__layout"))
        except gdb.error:
            pass
        for line in gdb.execute("info files", to_string=True).splitlines():
            word = line.split()
            if len(word) < 5 or word[4] != ".data.rel.ro":
                continue
            low, high = int(word[0], 16), int(word[2], 16)
            found = gdb.selected_inferior().search_memory(low, high - low, MAGIC)
            if found is not None:
                return found
        raise gdb.GdbError("There is no libverd in this program, or it has not been started.")

    def prefixed(self, prefix):
        return [(name[len(prefix):], value) for name, value in self.values.items() if name.startswith(prefix)]

class Block:
    """A piece of memory that is read at once, and its fields."""

    def __init__(self, layout, kind, address, data):
        self.layout, self.kind, self.address, self.data = layout, kind, address, data

    def number(self, field, format="=Q"):
        return struct.unpack_from(format, self.data, self.layout[self.kind + "." + field])[0]

@kept
def symbol(address):
    """The name of what has this address in it, a function or an object; or else the address."""
    found = gdb.execute("info symbol %#x" % address, to_string=True)
    if found.startswith("No symbol"):
        return "%#x" % address
    return found.split(" in section ")[0].split(" + ")[0]

@kept
def place(site):
    """Where a call that returns there was made."""
    name = symbol(site - 1)
    line = gdb.find_pc_line(site - 1)
    if line.symtab is not None:
        name += " (%s:%d)" % (line.symtab.filename.rsplit("/", 1)[-1], line.line)
    return name

class Hub:
    """The scheduler of one OS thread."""

    def __init__(self, layout, address):
        self.layout, self.address = layout, address
        size = 8 + max(value for _, value in layout.prefixed("scheduler."))
        block = Block(layout, "scheduler", address, memory(address, size))
        self.number, self.slabs = block.number("number"), block.number("slabs")
        self.os_thread, self.clock = block.number("runs_on", "=i"), block.number("clock", "=q")
        self.running, self.main, self.idle = (block.number(field) for field in ("running", "main", "idle"))
        self.known = {}  # its threads, by their handles and addresses

    def threads(self):
        """All that have not ended, by their numbers."""
        layout, found = self.layout, []
        size, slab = layout["thread.size"], self.slabs
        while slab != 0:
            head = Block(layout, "slab", slab, memory(slab, size))
            used, ordinal = head.number("used"), head.number("ordinal", "=I")
            data = memory(slab, used * size)
            for i in range(1, used):
                block = Block(layout, "thread", slab + i * size, data[i * size:(i + 1) * size])
                if block.number("state", "=B") in (layout["state.unstarted"], layout["state.started"]):
                    number = ordinal * (layout["slab.size"] // size - 1) + i - 1
                    handle = block.number("generation", "=I") << 32 | head.number("place", "=I") + i
                    found.append(Thread(self, block, number, handle))
            slab = head.number("next")
        for thread in found:
            self.known[thread.handle] = self.known[thread.address] = thread
        return sorted(found, key=lambda thread: thread.number)

    def inferior_thread(self):
        """gdb's of the OS thread; None: it is not known which."""
        threads = gdb.selected_inferior().threads()
        for thread in threads:
            if self.os_thread in thread.ptid[1:]:
                return thread
        return threads[0] if len(threads) == 1 else None

class Thread:
    """A green thread."""

    def __init__(self, hub, block, number, handle):
        layout = hub.layout
        self.hub, self.layout, self.number, self.handle = hub, layout, number, handle
        self.block, self.address, self.stack = block, block.address, block.number("stack")
        self.is_started = block.number("state", "=B") == layout["state.started"]
        self.is_main = self.address == hub.main
        self.is_delayed = bool(block.number("flags", "=B") & layout["flag.delayed"])
        self.id = "%d.%d" % (hub.number, number)
        self.area = self.low = None
        if self.stack != 0:
            self.read_stack()
        # Of a stack that is there all is known; else what the control block has until there is one.
        known = self.area if self.is_started else block
        is_known = known is not None and not self.is_main
        self.start, self.site = (known.number(field) if is_known else 0 for field in ("start", "site"))
        self.kind = self.wait_field("kind") if self.is_started and self.area is not None else 0
        self.is_running = self.is_started and self.address == hub.running
        self.has_registers = self.is_running and hub.idle == 0  # they are those of the OS thread

    def read_stack(self):
        """What lies beside it. A core file may lack it, or have zeros: no stack but that of main begins at 0."""
        at = self.stack + self.layout["stack.area"]
        try:
            self.low = pointer(self.stack + self.layout["stack.low"])
            if self.low != 0 or self.is_main:
                self.area = Block(self.layout, "area", at, memory(at, self.layout["area.size"]))
        except gdb.MemoryError:
            pass

    def wait_field(self, field):
        at = self.layout["area.wait"] + self.layout["wait." + field]
        return struct.unpack_from("=Q", self.area.data, at)[0]

    def frame(self):
        """Where its registers lie; None: it runs, or has not started."""
        if not self.is_started or self.has_registers:
            return None
        if self.is_running:
            return self.hub.idle
        context = self.block.number("context")
        return pointer(context) if self.layout["context.is_indirect"] else context

    def name(self):
        """Its own, its pool's, or that of its function."""
        if self.is_main:
            return "(main)"
        own = ""
        if self.area is not None:
            at = self.layout["area.name"]
            own = decode(self.area.data[at:at + self.layout["area.name_size"]])
        owner = self.block.number("owner") if not self.is_delayed else 0
        if own == "" and owner != 0:
            shared = pointer(owner + self.layout["owner.name"])
            shared = text(shared) if shared != 0 else ""
            own = "%s#%d" % (shared, self.number) if shared != "" else ""
        return '"%s"' % own if own != "" else symbol(self.start) if self.start != 0 else "?"

    def holder(self, kind):
        """The handle or the address of who has what it waits for; 0: not known."""
        if kind == "the end of a thread":
            return self.area.number("awaited")
        lock = {"a mutex": "mutex", "a lock, to read": "rwlock", "a lock, to write": "rwlock"}.get(kind)
        return pointer(self.wait_field("queue") + self.layout[lock + ".holder"]) if lock else 0

    def waits_for(self, now):
        layout = self.layout
        kind = text(pointer(self.kind + layout["wait_kind.name"]))
        if kind.endswith("#"):
            kind = kind[:-1] + str(self.wait_field("value"))
        since = struct.unpack("=q", struct.pack("=Q", self.wait_field("since")))[0]
        said = "waits for %s, for %.1f s" % (kind, max(now - since, 0) / 1e9)
        if memory(self.kind + layout["wait_kind.is_users"], 1) != b"\0":
            at = "%#x" % self.wait_field("queue")
            name = symbol(self.wait_field("queue"))
            said += ", at " + at + (" (%s)" % name if name != at else "")
        holder = self.holder(kind)
        if holder != 0:
            known = self.hub.known.get(holder)
            who = "thread %d" % known.number if known is not None else "a thread that has ended"
            said += (", " if kind == "the end of a thread" else ", held by ") + who
        return said

    def state(self, now):
        if not self.is_started:
            said = "is not due to start yet" if self.is_delayed else "has not started"
        elif self.kind != 0:
            said = self.waits_for(now)
        else:
            said = "runs" if self.is_running else "can run" if self.area is not None else "can run or waits"
            said += ": " + LOST if self.area is None else ""
        for name, words in (("kill", "killed"), ("timeout", "out of time")):
            if self.block.number("interrupt", "=B") & self.layout["interrupt." + name]:
                said += ", " + words
        return said + (", shielded" if self.block.number("shield", "=B") != 0 else "")

    def stack_use(self):
        """In use now, of all that there is."""
        if self.area is None or self.is_main:
            return "-" if self.stack == 0 or self.is_main else "?"
        low, frame = self.low, self.frame()
        if self.has_registers:
            frame = stack_pointer_of(self.hub.inferior_thread())
        if frame is None or not low <= frame <= self.stack:
            return "of %dK" % ((self.stack - low) // 1024)
        return "%.1fK of %dK" % ((self.stack - frame) / 1024, (self.stack - low) // 1024)

def stack_pointer_of(inferior_thread):
    if inferior_thread is None:
        return None
    before, frame = gdb.selected_thread(), gdb.selected_frame()
    inferior_thread.switch()
    try:
        return int(gdb.newest_frame().read_register("sp"))
    finally:
        before.switch()
        frame.select()

def hubs():
    if gdb.selected_inferior().pid == 0:
        raise gdb.GdbError("The program is not being run.")
    for function in (text, symbol, place):
        function.cache_clear()
    layout = Layout()
    found, at = [], pointer(layout.registry)
    while at != 0:
        scheduler = pointer(at + layout["registered.scheduler"])
        if scheduler != 0:
            found.append(Hub(layout, scheduler))
        at = pointer(at + layout["registered.next"])
    return sorted(found, key=lambda hub: hub.number)

def now_of(all_hubs):
    """The time of a live process; of a core, the last that any hub has seen."""
    seen = max((hub.clock for hub in all_hubs), default=0)
    is_live = gdb.selected_inferior().connection.type == "native"
    return max(seen, time.clock_gettime_ns(time.CLOCK_MONOTONIC)) if is_live else seen

# ---- which one is selected ----

class Selection:
    """For an OS thread: whose frames are shown behind its own, until it goes on."""

    def __init__(self, thread):
        frame = gdb.newest_frame()
        self.word = gdb.lookup_type("unsigned long"); self.id, self.layout, self.saved = thread.id, thread.layout, thread.frame()
        self.pc, self.sp = frame.read_register("pc"), frame.read_register("sp")

    def covers(self, frame):
        """Whether that is a frame of what the OS thread does, which is hidden."""
        return frame.read_register("sp") == self.sp

selections = {}

def selection():
    thread = gdb.selected_thread()
    return selections.get((thread.num, thread.ptid)) if thread is not None else None

def deselect():
    thread = gdb.selected_thread()
    if thread is not None and selections.pop((thread.num, thread.ptid), None) is not None:
        gdb.invalidate_cached_frames()

class Unwinder(gdb.unwinder.Unwinder):
    """The caller of what the OS thread does is what the selected thread is suspended in."""

    def __init__(self):
        super().__init__("verd")

    def __call__(self, pending):
        chosen = selection()
        if chosen is None:
            return None
        pc, sp = pending.read_register("pc"), pending.read_register("sp")
        if pc != chosen.pc or sp != chosen.sp:
            return None
        # As if it lay on the thread's stack: gdb takes a stack that goes down for a corrupt one.
        info = pending.create_unwind_info(types.SimpleNamespace(sp=gdb.Value(chosen.saved), pc=pc))
        word = chosen.word
        for name, offset in chosen.layout.prefixed("register."):
            value = pointer(chosen.saved + offset)
            if name in ("pc", "rip"):
                value &= ADDRESS_MASK
            info.add_saved_register(name, gdb.Value(value).cast(word))
        for name, offset in chosen.layout.prefixed("address."):
            info.add_saved_register(name, gdb.Value(chosen.saved + offset).cast(word))
        return info

class Filter:
    """Leaves out of backtraces what the OS thread does."""

    name, priority, enabled = "verd", 100, True

    def filter(self, frames):
        chosen = selection()
        if chosen is None:
            return frames
        return (frame for frame in frames if not chosen.covers(frame.inferior_frame()))

def select(thread):
    """Goes to a thread, if it has frames."""
    if not thread.is_started:
        raise gdb.GdbError("(no frames: it is to call %s)" % symbol(thread.start))
    if thread.area is None and not thread.has_registers:
        raise gdb.GdbError("(no frames: %s)" % LOST)
    os_thread = thread.hub.inferior_thread()
    if os_thread is not None:
        os_thread.switch()
    deselect()
    if thread.has_registers:
        gdb.newest_frame().select()
        return
    chosen = Selection(thread)
    selected = gdb.selected_thread()
    selections[selected.num, selected.ptid] = chosen
    gdb.invalidate_cached_frames()
    frame = gdb.newest_frame()
    while frame is not None and chosen.covers(frame):
        frame = frame.older()
    if frame is None:
        raise gdb.GdbError("Nothing is found on the stack of thread %s." % thread.id)
    frame.select()

# ---- commands ----

def own_hub(all_hubs):
    """That of the selected OS thread, or the only one."""
    thread = gdb.selected_thread()
    for hub in all_hubs:
        if thread is not None and hub.inferior_thread() == thread:
            return hub
    return all_hubs[0] if len(all_hubs) == 1 else None

def find(all_hubs, word):
    """The threads of "5", "2.5" or "5-9"."""
    hub, _, numbers = word.rpartition(".")
    first, _, last = numbers.partition("-")
    if hub == "":
        chosen = own_hub(all_hubs)
        if chosen is None:
            raise gdb.GdbError("There are several hubs: HUB.NUMBER, as info verd shows them.")
    else:
        chosen = next((h for h in all_hubs if str(h.number) == hub), None)
    found = []
    if chosen is not None:
        low, high = int(first), int(last or first)
        found = [thread for thread in chosen.threads() if low <= thread.number <= high]
    if not found:
        raise gdb.GdbError("There is no thread %s." % word)
    return found

def is_number(word):
    return re.fullmatch(r"(\d+\.)?\d+(-\d+)?", word) is not None

class InfoVerd(gdb.Command):
    """Shows all green threads of libverd: Id (HUB.NUMBER), name or function, stack in use and its size,
what called for it to be spawned, and its state. With a * the one that was selected by verd, or else those that
run, or were the last to run where nobody does. How long one has waited is at least so long; in a core file, up to the
last time that a hub has looked at its clock. One that gdb's gcore has made may lack stacks, and all that lies there."""

    def __init__(self):
        super().__init__("info verd", gdb.COMMAND_STATUS)

    def invoke(self, arg, from_tty):
        all_hubs = hubs()
        if not all_hubs:
            print("There are no green threads yet.")
            return
        now, chosen = now_of(all_hubs), selection()
        rows = [("", "Id", "Name", "Stack", "Spawned at", "State")]
        for hub in all_hubs:
            for t in hub.threads():
                mark = chosen.id == t.id if chosen is not None else t.is_running
                try:
                    site = place(t.site) if t.site != 0 else "-"
                    cells = (t.name(), t.stack_use(), site, t.state(now))
                except gdb.MemoryError as error:
                    cells = ("?", "?", "?", str(error))
                rows.append(("*" if mark else "", t.id) + cells)
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        for row in rows:
            columns = [cell.ljust(width) for cell, width in zip(row, widths)]
            print(" ".join(columns[:2]) + "  " + "  ".join(columns[2:] + [row[5]]))

class Verd(gdb.Command):
    """Goes to a green thread of libverd: verd NUMBER, or verd HUB.NUMBER, as info verd shows them.
Until the process goes on, bt, frame, up, down and info locals are about it. Without a number: says which it is.
verd off goes back to what the OS thread does."""

    def __init__(self):
        super().__init__("verd", gdb.COMMAND_STACK, prefix=True)

    def invoke(self, arg, from_tty):
        words = arg.split()
        chosen = selection()
        if len(words) == 1 and is_number(words[0]):
            all_hubs = hubs()
            thread = find(all_hubs, words[0])[0]
            print("[Green thread %s %s %s]" % (thread.id, thread.name(), thread.state(now_of(all_hubs))))
            select(thread)
            gdb.execute("frame")
        elif words == ["off"]:
            deselect()
            gdb.newest_frame().select()
            gdb.execute("frame")
        elif not words:
            print("[Green thread %s]" % chosen.id if chosen is not None else "[None is selected]")
        else:
            raise gdb.GdbError("verd NUMBER, verd HUB.NUMBER, verd off, or verd apply")

class VerdApply(gdb.Command):
    """A command for several green threads: verd apply all COMMAND, verd apply NUMBER... COMMAND.
A number may be 5, 2.5 (of the second hub), or 5-9 or 2.5-9 for several."""

    def __init__(self):
        super().__init__("verd apply", gdb.COMMAND_STACK)

    def invoke(self, arg, from_tty):
        all_hubs, words, threads = hubs(), arg.split(), []
        if words[:1] == ["all"]:
            threads = [thread for hub in all_hubs for thread in hub.threads()]
            words.pop(0)
        while words and is_number(words[0]):
            threads += find(all_hubs, words.pop(0))
        if not threads or not words:
            raise gdb.GdbError("verd apply all COMMAND, or verd apply NUMBER... COMMAND")
        os_thread, frame = gdb.selected_thread(), gdb.selected_frame().level()
        before = dict(selections)
        try:
            for thread in threads:
                print("\nGreen thread %s %s %s" % (thread.id, thread.name(), thread.state(now_of(all_hubs))))
                try:
                    select(thread)
                    gdb.execute(" ".join(words))
                except (gdb.error, gdb.GdbError) as error:
                    print(error)
        finally:
            selections.clear()
            selections.update(before)
            os_thread.switch()
            gdb.invalidate_cached_frames()
            gdb.execute("frame %d" % frame, to_string=True)

if not hasattr(gdb, "verd_is_loaded"):
    gdb.verd_is_loaded = True
    for command in (InfoVerd, Verd, VerdApply):
        command()
    gdb.unwinder.register_unwinder(None, Unwinder())
    frame_filter = Filter()
    gdb.frame_filters[frame_filter.name] = frame_filter
    for event in (gdb.events.cont, gdb.events.exited):
        event.connect(lambda _: selections.clear())
