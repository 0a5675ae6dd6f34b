import NIOHPACK

/// How an RPC ended.
struct GRPCStatus: Equatable {
    var code: Int
    var message: String

    static let ok = GRPCStatus(code: 0, message: "")

    static func invalidArgument(_ message: String) -> GRPCStatus { .init(code: 3, message: message) }
    static func permissionDenied(_ message: String) -> GRPCStatus { .init(code: 7, message: message) }
    static func resourceExhausted(_ message: String) -> GRPCStatus { .init(code: 8, message: message) }
    static func unimplemented(_ message: String) -> GRPCStatus { .init(code: 12, message: message) }
    static func unavailable(_ message: String) -> GRPCStatus { .init(code: 14, message: message) }
    static func unauthenticated(_ message: String) -> GRPCStatus { .init(code: 16, message: message) }
}

extension GRPCStatus {
    /// The status in trailers, or in headers that are trailers too; nil where there is none.
    init?(_ headers: HPACKHeaders) {
        guard let text = headers.first(name: "grpc-status") else { return nil }
        // What cannot be read is UNKNOWN.
        self.init(code: Int(text) ?? 2, message: OneLine.clean(PercentEncoding.decode(headers.first(name: "grpc-message") ?? "")))
    }

    var trailers: HPACKHeaders {
        var headers: HPACKHeaders = ["grpc-status": "\(code)"]
        if !message.isEmpty { headers.add(name: "grpc-message", value: PercentEncoding.encode(OneLine.clean(message))) }
        return headers
    }

    /// The answer of an RPC that ends before it began.
    var answer: HPACKHeaders {
        var headers: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]
        headers.add(contentsOf: trailers)
        return headers
    }
}

extension GRPCStatus: CustomStringConvertible {
    var description: String { message.isEmpty ? "gRPC status \(code)" : "gRPC status \(code): \(message)" }
}

/// The headers of gRPC's requests and answers.
enum GRPCHeaders {
    static func request(path: String, authority: String, metadata: [(String, String)]) -> HPACKHeaders {
        var headers: HPACKHeaders = [
            ":method": "POST", ":scheme": "https", ":path": path, ":authority": authority, "content-type": "application/grpc",
            "te": "trailers", "user-agent": "nestbox-tunnel",
        ]
        for (name, value) in metadata { headers.add(name: name, value: value) }
        return headers
    }

    static func answer(metadata: [(String, String)] = []) -> HPACKHeaders {
        var headers: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]
        for (name, value) in metadata { headers.add(name: name, value: value) }
        return headers
    }

    /// What is wrong with a request, if it is not a call of `path`: a status to answer with.
    static func refusal(of headers: HPACKHeaders, path: String) -> GRPCStatus? {
        guard headers.first(name: ":method") == "POST", let type = headers.first(name: "content-type"), type.hasPrefix("application/grpc")
        else { return .unimplemented("not a gRPC request") }
        let asked = headers.first(name: ":path") ?? ""
        return asked == path ? nil : .unimplemented("no such method here: \(asked)")
    }

    /// The value of a header that stands there once; nil when it is missing or there are several.
    static func single(_ name: String, in headers: HPACKHeaders) -> String? {
        let values = headers[name]
        return values.count == 1 ? values[0] : nil
    }
}
