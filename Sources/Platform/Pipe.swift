import CPlatform

/// Both ends of a new pipe, close-on-exec.
public struct Pipe: ~Copyable {
    /// What is written into the pipe can be read here.
    public let reading: Descriptor
    public let writing: Descriptor

    public init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        _ = try SystemError.check(cplatform_pipe(&ends), "pipe")
        reading = Descriptor(adopting: ends[0])
        writing = Descriptor(adopting: ends[1])
    }

    /// The end to read from; the other is closed.
    public consuming func takeReading() -> Descriptor { reading }
}
