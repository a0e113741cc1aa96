import HTTP
import NIOCore

/// Puts a form together out of the pieces of a `multipart/form-data` body, with limits to everything.
struct MultipartReader {
    /// What a form may cost.
    struct Limits: Sendable {
        /// The body as a whole, in bytes.
        var body: Int
        /// The values of all fields that are no files, in bytes (as Django's `DATA_UPLOAD_MAX_MEMORY_SIZE`).
        var values = 2_621_440
        /// Fields that are no files.
        var fields = QueryValues.maximumCount
        /// Files (as Django's `DATA_UPLOAD_MAX_NUMBER_FILES`).
        var files = 100
        /// What of a file stays in memory.
        var memory = 65_536
    }

    private let limits: Limits
    private let directory: String
    private var parser: MultipartParser
    private var received = 0
    private var valueBytes = 0
    private var values = QueryValues()
    private var files: [UploadedFile] = []
    private var part: Part?

    /// The part that is being read.
    private struct Part {
        let head: MultipartHead
        var bytes = ByteBuffer()
        var size = 0
        var file: TemporaryFile?
    }

    init(boundary: String, limits: Limits, directory: String) {
        parser = MultipartParser(boundary: boundary)
        self.limits = limits
        self.directory = directory
    }

    /// Whether what has been read should be put to disk before more comes: ``store()``.
    var wantsToStore: Bool {
        guard let part, part.head.fileName != nil else { return false }
        return part.bytes.readableBytes > limits.memory
    }

    /// Takes in the next piece. Throws ``BadRequest``.
    mutating func read(_ piece: ByteBuffer) throws {
        received += piece.readableBytes
        guard received <= limits.body else { throw BadRequest.tooLarge }
        let events: [MultipartParser.Event]
        do throws(MultipartParser.Malformed) { events = try parser.events(in: piece.readableBytesView) } catch {
            throw BadRequest("The form is not well formed: \(error.text).")
        }
        for event in events { try handle(event) }
    }

    private mutating func handle(_ event: MultipartParser.Event) throws {
        switch event {
        case .partBegins(let head): part = Part(head: head)
        case .content(let bytes):
            part?.bytes.writeBytes(bytes)
            part?.size += bytes.count
            guard part?.head.fileName == nil else { break }
            valueBytes += bytes.count
            guard valueBytes <= limits.values else {
                throw BadRequest("The fields of the form are too large.", status: .contentTooLarge)
            }
        case .partEnds: try end()
        }
    }

    private mutating func end() throws {
        guard let part else { return }
        self.part = nil
        guard let fileName = part.head.fileName else {
            guard values.pairs.count < limits.fields else {
                throw BadRequest("The form has \(QueryValues.TooMany(limit: limits.fields)).")
            }
            return values.append(part.head.name, String(decoding: part.bytes.readableBytesView, as: UTF8.self))
        }
        // A file field that was left empty.
        if fileName.isEmpty, part.size == 0 { return }
        guard files.count < limits.files else { throw BadRequest("The form has more than \(limits.files) files.") }
        if let file = part.file { try file.write(part.bytes) }
        files.append(
            UploadedFile(
                field: part.head.name, name: fileName, contentType: part.head.contentType, size: part.size,
                storage: part.file.map { .file($0) } ?? .memory(part.bytes)))
    }

    /// Puts to disk what the file that is being read has in memory. Blocks.
    mutating func store() throws(UploadError) {
        guard wantsToStore, var part else { return }
        let file: TemporaryFile
        if let open = part.file { file = open } else { file = try TemporaryFile(in: directory) }
        try file.write(part.bytes)
        part.file = file
        part.bytes.clear()
        self.part = part
    }

    /// The form, once the body has come to its end.
    func form() throws -> (values: QueryValues, files: UploadedFiles) {
        guard parser.isComplete else { throw BadRequest("The form is not well formed: its end is missing.") }
        return (values, UploadedFiles(files))
    }
}
