// The forms of `path`: a view type, or a function that is synchronous or asynchronous and takes the request alone or the
// request and the values of the path, in the order they stand in the pattern. The function comes second, or last as a
// trailing closure.

/// A path served by a view: `path("", IndexView(), name: "index")`. The pattern has no leading slash; `<int:id>` takes a
/// value out of the path (converters: `int`, `str`, `slug`, `uuid`, `path` and the site's own; `<id>` is `<str:id>`).
public func path(_ pattern: String, _ view: some View, name: String? = nil) -> URLEntry {
    entry(pattern, view.function, nil, name, "\(type(of: view))")
}

/// A path served by a synchronous function: it may block, and runs on the thread pool.
public func path(
    _ pattern: String, _ view: @escaping @Sendable (Request) throws -> Response, name: String? = nil
) -> URLEntry {
    entry(pattern, .synchronous(view), nil, name, nil)
}

/// A path served by an asynchronous function: it runs on the event loop, and must not block.
public func path(
    _ pattern: String, _ view: @escaping @Sendable (Request) async throws -> Response, name: String? = nil
) -> URLEntry {
    entry(pattern, .asynchronous(view), nil, name, nil)
}

/// A named path served by a synchronous closure.
public func path(
    _ pattern: String, name: String, view: @escaping @Sendable (Request) throws -> Response
) -> URLEntry {
    entry(pattern, .synchronous(view), nil, name, nil)
}

/// A named path served by an asynchronous closure.
public func path(
    _ pattern: String, name: String, view: @escaping @Sendable (Request) async throws -> Response
) -> URLEntry {
    entry(pattern, .asynchronous(view), nil, name, nil)
}

/// A path served by a synchronous function of the request and the path's values.
public func path<First: PathParameter, each Rest: PathParameter>(
    _ pattern: String, _ view: @escaping @Sendable (Request, First, repeat each Rest) throws -> Response,
    name: String? = nil
) -> URLEntry {
    entry(pattern, typed(view), types(First.self, repeat (each Rest).self), name, nil)
}

/// A path served by an asynchronous function of the request and the path's values.
public func path<First: PathParameter, each Rest: PathParameter>(
    _ pattern: String, _ view: @escaping @Sendable (Request, First, repeat each Rest) async throws -> Response,
    name: String? = nil
) -> URLEntry {
    entry(pattern, typed(view), types(First.self, repeat (each Rest).self), name, nil)
}

/// A named path served by a synchronous closure of the request and the path's values.
public func path<First: PathParameter, each Rest: PathParameter>(
    _ pattern: String, name: String,
    view: @escaping @Sendable (Request, First, repeat each Rest) throws -> Response
) -> URLEntry {
    entry(pattern, typed(view), types(First.self, repeat (each Rest).self), name, nil)
}

/// A named path served by an asynchronous closure of the request and the path's values.
public func path<First: PathParameter, each Rest: PathParameter>(
    _ pattern: String, name: String,
    view: @escaping @Sendable (Request, First, repeat each Rest) async throws -> Response
) -> URLEntry {
    entry(pattern, typed(view), types(First.self, repeat (each Rest).self), name, nil)
}

private func entry(
    _ pattern: String, _ function: ViewFunction, _ parameters: [any PathParameter.Type]?, _ name: String?,
    _ viewName: String?
) -> URLEntry {
    URLEntry(
        pattern: pattern,
        content: .view(function, parameters: parameters, name: name, viewName: viewName ?? "function"))
}

private func typed<First: PathParameter, each Rest: PathParameter>(
    _ view: @escaping @Sendable (Request, First, repeat each Rest) throws -> Response
) -> ViewFunction {
    .synchronous { request in
        var values = request.parameters.values.makeIterator()
        return try view(request, next(&values, First.self), repeat next(&values, (each Rest).self))
    }
}

private func typed<First: PathParameter, each Rest: PathParameter>(
    _ view: @escaping @Sendable (Request, First, repeat each Rest) async throws -> Response
) -> ViewFunction {
    .asynchronous { request in
        var values = request.parameters.values.makeIterator()
        return try await view(request, next(&values, First.self), repeat next(&values, (each Rest).self))
    }
}

/// The next value of the path as `Value`. The URL checks have compared types and pattern; a value that still does not fit
/// (a custom parameter refusing it) is a page that does not exist.
private func next<Value: PathParameter>(
    _ values: inout IndexingIterator<[PathValue]>, _: Value.Type
) throws -> Value {
    guard let value = values.next().flatMap({ Value(pathValue: $0) }) else { throw Http404() }
    return value
}

private func types<each Value: PathParameter>(_ type: repeat (each Value).Type) -> [any PathParameter.Type] {
    var all: [any PathParameter.Type] = []
    repeat all.append(each type)
    return all
}
