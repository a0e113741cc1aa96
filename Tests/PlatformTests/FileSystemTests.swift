import Testing

@testable import Platform

@Suite struct FileSystemTests {
    @Test(
        arguments: [
            (0x6969, FileSystem.network("NFS")), (0xFF53_4D42, .network("SMB")), (0x6573_5546, .network("FUSE")),
            (0x0102_1994, .memory), (0x794C_7630, .overlay), (0xEF53, .local), (0x5846_5342, .local),
        ] as [(UInt32, FileSystem)])
    func knownNumbers(_ magic: UInt32, _ kind: FileSystem) { #expect(FileSystem(magic: magic) == kind) }

    @Test func whatIsNotThereIsWhereItsDirectoryIs() {
        #expect(FileSystem.kind(of: "/dev/shm/a/b/c") == .memory)
        #expect(FileSystem.kind(of: "/absent/a/b") == FileSystem.kind(of: "/"))
        #expect(!FileSystem.isReadOnly("/dev/shm"))
    }
}
