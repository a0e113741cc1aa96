/// The files of a form, in order.
public struct UploadedFiles: Sendable {
    /// All of them.
    public let all: [UploadedFile]

    init(_ all: [UploadedFile] = []) { self.all = all }

    /// Whether none was sent.
    public var isEmpty: Bool { all.isEmpty }

    /// The last file of this field; nil when none was sent.
    public subscript(field: String) -> UploadedFile? { all.last { $0.field == field } }

    /// Every file of this field, in order.
    public func all(_ field: String) -> [UploadedFile] { all.filter { $0.field == field } }
}
