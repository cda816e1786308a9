# SPDX-License-Identifier: Apache-2.0
"""As much of ELF64 little-endian as the checks need."""
import collections
import struct

Section = collections.namedtuple("Section",
                                 "name type flags addr offset size")
Segment = collections.namedtuple("Segment", "type flags vaddr memsz")
Symbol = collections.namedtuple("Symbol", "name value size type bind shndx")

SHF_WRITE, SHF_ALLOC, SHF_EXEC = 1, 2, 4
SHT_SYMTAB, SHT_RELA, SHT_DYNAMIC, SHT_NOBITS, SHT_REL = 2, 4, 6, 8, 9
PT_LOAD, PT_DYNAMIC, PT_INTERP, PF_X, PF_W = 1, 2, 3, 1, 2
STT_NOTYPE, STT_OBJECT, STT_FUNC = 0, 1, 2


class Elf:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path}: not a little-endian ELF64 file")
        (phoff, shoff) = struct.unpack_from("<QQ", self.data, 32)
        (phsize, phnum, shsize, shnum, shstr) = struct.unpack_from(
            "<5H", self.data, 54)
        self.segments = [self._segment(phoff + n * phsize)
                         for n in range(phnum)]
        heads = [struct.unpack_from("<2I4Q2I2Q", self.data, shoff + n * shsize)
                 for n in range(shnum)]
        names = heads[shstr][4] if heads else 0
        self.sections = [Section(self._text(names + h[0]), h[1], h[2], h[3],
                                 h[4], h[5]) for h in heads]
        self.symbols = []
        for head in heads:
            if head[1] == SHT_SYMTAB:
                self._read_symbols(head, heads[head[6]][4])

    def _text(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def _segment(self, offset):
        (kind, flags, _, vaddr, _, _, memsz, _) = struct.unpack_from(
            "<2I6Q", self.data, offset)
        return Segment(kind, flags, vaddr, memsz)

    def _read_symbols(self, head, strings):
        for offset in range(head[4], head[4] + head[5], 24):
            name, info, _, shndx, value, size = struct.unpack_from(
                "<IBBHQQ", self.data, offset)
            self.symbols.append(Symbol(self._text(strings + name), value,
                                       size, info & 15, info >> 4, shndx))

    def writable(self):
        want = SHF_WRITE | SHF_ALLOC
        return [s for s in self.sections if s.flags & want == want]

    def words(self, section):
        """(address, value) of every aligned 8-byte word of SECTION."""
        if section.type == SHT_NOBITS:
            return
        skip = -section.addr % 8
        for at in range(skip, section.size - 7, 8):
            value, = struct.unpack_from("<Q", self.data, section.offset + at)
            yield section.addr + at, value

    def object_at(self, address):
        """Name of the symbol that covers ADDRESS, or the section's."""
        for symbol in self.symbols:
            if (symbol.type == STT_OBJECT
                    and symbol.value <= address < symbol.value + symbol.size):
                return symbol.name
        for section in self.sections:
            if section.addr <= address < section.addr + section.size:
                return section.name
        return "?"
