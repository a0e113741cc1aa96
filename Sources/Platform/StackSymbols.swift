import CPlatform
import Glibc

/// Names for the addresses of a stack: in the executable by its symbol table, in libraries by what they export.
public enum StackSymbols {
    /// One line for each return address: the function, and the file it is in when that is not the executable. Reads through
    /// the executable's table, which takes some tens of milliseconds.
    public static func lines(_ addresses: [UInt]) -> [String] {
        // A return address is behind its call: the function may end right before it.
        let places = addresses.map { Place($0 &- 1) }
        var names: [UInt: String] = [:]
        let base = executableBase
        let own = places.filter { $0.base == base }.map(\.offset).sorted()
        if !own.isEmpty {
            MappedFile.withBytes(of: "/proc/self/exe") { ELF($0).visitFunctions(covering: own) { names[$0] = $1 } }
        }
        return places.map { $0.line(name: $0.base == base ? names[$0.offset] : $0.symbol, isOwn: $0.base == base) }
    }

    /// Where the executable lies in memory: where this code is found.
    private static var executableBase: UInt {
        let own: @convention(c) () -> Void = {}
        return Place(unsafeBitCast(own, to: UInt.self)).base
    }

    /// An address, by the file it is in.
    private struct Place {
        let base: UInt
        let offset: UInt
        let file: Substring
        let symbol: String?

        init(_ address: UInt) {
            var found = cplatform_symbol()
            guard cplatform_find_symbol(Int(bitPattern: address), &found) == 0 else {
                (base, offset, file, symbol) = (0, address, "", nil)
                return
            }
            base = UInt(bitPattern: found.base)
            offset = address &- base
            file = found.file.flatMap { String(cString: $0).split(separator: "/").last } ?? ""
            symbol = found.name.map { String(cString: $0) }
        }

        func line(name: String?, isOwn: Bool) -> String {
            (name.map(demangled) ?? "0x\(String(offset, radix: 16))") + (isOwn || file.isEmpty ? "" : " in \(file)")
        }
    }

    private static func demangled(_ name: String) -> String {
        guard let text = swift_demangle(name, name.utf8.count, nil, nil, 0) else { return name }
        defer { free(text) }
        let readable = String(cString: text)
        return readable.utf8.count > 200 ? readable.prefix(200) + "…" : readable
    }
}

/// A file's bytes, without reading all of them.
private enum MappedFile {
    static func withBytes(of path: String, _ body: (UnsafeRawBufferPointer) -> Void) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size > 0,
            let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, file, 0),
            start != UnsafeMutableRawPointer(bitPattern: -1)
        else { return }
        defer { munmap(start, Int(status.st_size)) }
        body(UnsafeRawBufferPointer(start: start, count: Int(status.st_size)))
    }
}

/// A file of the kind that executables are, as far as its symbols.
private struct ELF {
    private let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Calls `found` with each of `offsets`, which are sorted, and the function that covers it.
    func visitFunctions(covering offsets: [UInt], _ found: (UInt, String) -> Void) {
        guard let (symbols, names) = tables() else { return }
        let size = MemoryLayout<Elf64_Sym>.size
        for index in 0..<(symbols.count / size) {
            let symbol = symbols.loadUnaligned(fromByteOffset: index * size, as: Elf64_Sym.self)
            // STT_FUNC
            guard symbol.st_info & 0xF == 2, symbol.st_size > 0, Int(symbol.st_name) < names.count else { continue }
            for offset in offsets where UInt64(offset) &- symbol.st_value < symbol.st_size {
                found(offset, String(decoding: names[Int(symbol.st_name)...].prefix { $0 != 0 }, as: UTF8.self))
            }
        }
    }

    /// The symbol table and the names it points to; nil when there is none, or the file is of another kind.
    private func tables() -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer)? {
        guard bytes.count >= MemoryLayout<Elf64_Ehdr>.size, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) else {
            return nil
        }
        let header = bytes.loadUnaligned(as: Elf64_Ehdr.self)
        for index in 0..<Int(header.e_shnum) {
            // SHT_SYMTAB
            guard let section = section(index, header), section.sh_type == 2, let symbols = content(section),
                let names = self.section(Int(section.sh_link), header).flatMap(content)
            else { continue }
            return (symbols, names)
        }
        return nil
    }

    private func section(_ index: Int, _ header: Elf64_Ehdr) -> Elf64_Shdr? {
        let size = MemoryLayout<Elf64_Shdr>.size
        let (start, overflow) = Int(clamping: header.e_shoff).addingReportingOverflow(index * size)
        guard !overflow, start <= bytes.count - size else { return nil }
        return bytes.loadUnaligned(fromByteOffset: start, as: Elf64_Shdr.self)
    }

    private func content(_ section: Elf64_Shdr) -> UnsafeRawBufferPointer? {
        let start = Int(clamping: section.sh_offset)
        let count = Int(clamping: section.sh_size)
        guard start <= bytes.count, count <= bytes.count - start else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
    }
}
