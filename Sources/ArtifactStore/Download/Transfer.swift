import CCurl
import Glibc
import Synchronization

/// One HTTP GET into a file, on the thread that calls it. The bytes are appended at `offset`, or the file begins anew where
/// the server sends all of it.
struct Transfer {
    /// How it ended.
    enum Outcome: Equatable, Sendable {
        case complete
        /// An answer that is not the file.
        case status(Int)
        /// Nobody there to talk to: no name, no route, no listener, no proxy.
        case unreachable(String)
        /// Bytes stopped coming: going on from where it ended makes sense.
        case broken(String)
        case cancelled
    }

    let url: String
    let file: OpenFile
    let offset: Int
    var connectTimeout: Duration
    var stallTimeout: Duration
    /// Nil: what the environment says (`https_proxy`, `no_proxy`...).
    var proxy: String?
    let cancelled: CancellationFlag
    /// Called with the bytes that the file has and, where it is known, will have.
    var progress: (_ done: Int, _ total: Int?) -> Void

    /// Once for the process, before the first transfer.
    private static let prepared = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    func perform() throws -> Outcome {
        guard Self.prepared == CURLE_OK, let handle = curl_easy_init() else {
            throw ArtifactError(.storage, "libcurl could not be started")
        }
        defer { curl_easy_cleanup(handle) }
        let state = TransferState(self, handle)
        return try withExtendedLifetime(state) {
            try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { message in
                message.initialize(repeating: 0)
                try configure(handle, state, message)
                let code = curl_easy_perform(handle)
                let text = message.baseAddress.map { String(cString: $0) } ?? ""
                return try outcome(code, text.isEmpty ? String(cString: curl_easy_strerror(code)) : text, state)
            }
        }
    }

    private func configure(_ handle: UnsafeMutableRawPointer, _ state: TransferState, _ message: UnsafeMutableBufferPointer<CChar>) throws {
        let context = Unmanaged.passUnretained(state).toOpaque()
        var codes: [CURLcode] = [
            nestbox_curl_set_text(handle, CURLOPT_URL, url),
            nestbox_curl_set_text(handle, CURLOPT_USERAGENT, "nestbox"),
            nestbox_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https"),
            nestbox_curl_set_text(handle, CURLOPT_REDIR_PROTOCOLS_STR, url.hasPrefix("https:") ? "https" : "http,https"),
            nestbox_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 1),
            nestbox_curl_set_long(handle, CURLOPT_MAXREDIRS, 5),
            nestbox_curl_set_long(handle, CURLOPT_NOSIGNAL, 1),
            nestbox_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(connectTimeout / .milliseconds(1))),
            nestbox_curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1),
            nestbox_curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, max(1, Int(stallTimeout.components.seconds))),
            nestbox_curl_set_error_buffer(handle, message.baseAddress),
            nestbox_curl_set_write(handle, receive, context),
            nestbox_curl_set_progress(handle, reportProgress, context),
        ]
        if offset > 0 { codes.append(nestbox_curl_set_offset(handle, CURLOPT_RESUME_FROM_LARGE, curl_off_t(offset))) }
        if let proxy { codes.append(nestbox_curl_set_text(handle, CURLOPT_PROXY, proxy)) }
        if let bad = codes.first(where: { $0 != CURLE_OK }) {
            throw ArtifactError(.storage, "libcurl refused a setting: \(String(cString: curl_easy_strerror(bad)))")
        }
    }

    private func outcome(_ code: CURLcode, _ message: String, _ state: TransferState) throws -> Outcome {
        if let failure = state.failure { throw failure }
        if cancelled.isSet { return .cancelled }
        let status = state.status
        switch code {
        case CURLE_OK, CURLE_RANGE_ERROR, CURLE_BAD_DOWNLOAD_RESUME:
            if (200..<300).contains(status), code == CURLE_OK { return .complete }
            // An answer that ignores the range has status 200 and is taken from its start; libcurl would rather fail.
            return .status(status)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_PEER_FAILED_VERIFICATION:
            return .unreachable(message)
        case CURLE_OPERATION_TIMEDOUT where status == 0:
            return .unreachable(message)
        // A proxy that refuses to connect us.
        case CURLE_RECV_ERROR where status == 0 && state.received == 0 && message.contains("CONNECT"):
            return .unreachable(message)
        default:
            return .broken(message)
        }
    }
}

/// Told from another task, read by the transfer's thread.
final class CancellationFlag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}

/// What libcurl's callbacks see. It lives and is used on the transfer's own thread only.
private final class TransferState {
    let transfer: Transfer
    let handle: UnsafeMutableRawPointer
    var received = 0
    var start: Int?
    var failure: (any Error)?

    init(_ transfer: Transfer, _ handle: UnsafeMutableRawPointer) {
        self.transfer = transfer
        self.handle = handle
    }

    var status: Int {
        var value = 0
        nestbox_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &value)
        return value
    }

    /// False stops the transfer.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do {
            if start == nil {
                let status = self.status
                // The text of an error page is not the file.
                guard (200..<300).contains(status) else { return true }
                let begin = status == 206 ? transfer.offset : 0
                start = begin
                guard ftruncate(transfer.file.descriptor, begin) == 0, lseek(transfer.file.descriptor, begin, SEEK_SET) == begin else {
                    throw ArtifactError(.storage, "\(transfer.file.path): cannot position: \(lastSystemError())")
                }
            }
            try transfer.file.write(bytes)
            received += bytes.count
            return true
        } catch {
            failure = error
            return false
        }
    }
}

private func receive(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    guard let bytes, let context else { return 0 }
    let state = Unmanaged<TransferState>.fromOpaque(context).takeUnretainedValue()
    return state.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

private func reportProgress(
    _ context: UnsafeMutableRawPointer?, _ total: curl_off_t, _ now: curl_off_t, _ upTotal: curl_off_t, _ upNow: curl_off_t
) -> CInt {
    guard let context else { return 0 }
    let state = Unmanaged<TransferState>.fromOpaque(context).takeUnretainedValue()
    if state.transfer.cancelled.isSet { return 1 }
    if let start = state.start { state.transfer.progress(start + state.received, total > 0 ? start + Int(total) : nil) }
    return 0
}
