import NIOCore
import TestCampaign
import TestTunnel

/// Makes the near end of the soak's connections.
struct Traveller: Sendable {
    static let answerLimit = Duration.seconds(8)
    /// What a connection may take beside its pause: a lossy tunnel is slow, and a silent one is noticed in 20 s.
    static let patience = Duration.seconds(150)

    let port: Int
    let ledger: Ledger
    let lag: Lag
    let socket: @Sendable (String) -> String

    /// It ended before it should have.
    private struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    private struct NotConnected: Error {
        var answer: String
    }

    private struct Impossible: Error {
        var what: String
    }

    /// What is known of a connection before it is over.
    private actor Notes {
        var answerTime: Duration?
        func answered(after time: Duration) { answerTime = time }
    }

    func make(_ trip: Trip) async -> TripReport {
        let start = ContinuousClock.now
        let notes = Notes()
        var outcome = await withDeadline(start + trip.pause + Self.patience) {
            do {
                try await go(trip, notes)
                return .fine
            } catch let error as NotConnected {
                return .notConnected(error.answer)
            } catch let error as Impossible {
                return .wrong(error.what)
            } catch let error as Corrupted {
                return .wrong("\(error)")
            } catch {
                return await notes.answerTime == nil ? .notConnected("\(error)") : .broken("\(error)")
            }
        }
        let answerTime = await notes.answerTime
        if let answerTime, answerTime > Self.answerLimit { outcome = .wrong("the dial was answered after \(answerTime.seconds) s") }
        let entry = ledger.entry(trip.id)
        ledger.forget(trip.id)
        return TripReport(trip: trip, start: start, end: .now, agent: entry?.agent, answerTime: answerTime, outcome: outcome)
    }

    private func withDeadline(
        _ deadline: ContinuousClock.Instant, _ body: @escaping @Sendable () async -> TripOutcome
    ) async -> TripOutcome {
        await withTaskGroup(of: TripOutcome?.self) { group in
            group.addTask { await body() }
            group.addTask {
                // Cancelled once the connection is over.
                _ = try? await Task.sleep(until: deadline, clock: .continuous)
                return Task.isCancelled ? nil : .wrong("it went on past its deadline")
            }
            var first: TripOutcome?
            while let next = await group.next() {
                if first == nil { first = next }
                group.cancelAll()
            }
            return first ?? .wrong("it was given up")
        }
    }

    private func target(of trip: Trip) -> String {
        switch trip.kind {
        case .refused: "\(Network.targetHost):9"
        case .blackHole, .abandoned: "\(Network.blackHole):80"
        case .unknown: "no-such-host.invalid:80"
        case .forbidden: "127.0.0.1:80"
        default: "\(Network.targetHost):\(port)"
        }
    }

    private func go(_ trip: Trip, _ notes: Notes) async throws {
        let start = ContinuousClock.now
        try await TestConnection.open(socket(trip.server)) { connection in
            if trip.kind == .abandoned {
                try await connection.write("CONNECT \(self.target(of: trip)) HTTP/1.1\r\n\r\n")
                try await Task.sleep(for: trip.pause / 20)
                return
            }
            let answer: String
            do {
                answer = try await connection.connect(to: self.target(of: trip))
            } catch {
                let time = ContinuousClock.now - start
                guard time - self.lag.total(inLast: time) < Self.answerLimit else {
                    throw Impossible(what: "a dial had no answer in \(time.seconds) s")
                }
                throw error
            }
            let time = ContinuousClock.now - start
            await notes.answered(after: time < .seconds(7) ? time : time - self.lag.total(inLast: time))
            let isEstablished = answer == "HTTP/1.1 200 Connection Established"
            guard trip.kind.isGoodDial else {
                guard !isEstablished, answer.hasPrefix("HTTP/1.1 ") else { throw Impossible(what: "\(trip.kind) was answered \(answer)") }
                return
            }
            guard isEstablished else { throw NotConnected(answer: answer) }
            try await connection.write(TripTarget.line(of: trip))
            try await self.travel(trip, &connection)
        }
        if trip.kind == .sendAndClose { try await arrival(of: trip, digest: digest(of: trip)) }
        if trip.kind == .resetByClient { try await ending(of: trip) }
    }

    private func digest(of trip: Trip) -> String {
        var content = Content(connection: trip.id, .toTarget)
        while content.count < trip.size { _ = content.next(trip.size - content.count) }
        return content.digest
    }

    private func travel(_ trip: Trip, _ connection: inout TestConnection) async throws {
        switch trip.kind {
        case .echoes: try await echo(trip, min(trip.size / 1024 + 1, 300), &connection)
        case .idle:
            try await echo(trip, 1, &connection)
            try await Task.sleep(for: trip.pause)
            try await echo(trip, 1, &connection)
        case .upload, .stalledTarget:
            let sent = try await connection.send(trip.size, of: trip.id, .toTarget)
            connection.finish()
            do {
                try await same(try await connection.readLine(), sent)
                guard try await connection.read() == nil else { throw Impossible(what: "bytes behind the last") }
            } catch let error as TestConnection.Ended {
                let agent = try await entry(of: trip) { $0.agent != nil }.agent
                guard agent.map(Soak.withoutHalfClose.contains) == true else { throw error }
                try await arrival(of: trip, digest: sent)
            }
        case .download: try await receive(trip, &connection, pause: nil)
        case .slowReader: try await receive(trip, &connection, pause: trip.pause / 40)
        case .stalledReader:
            try await Task.sleep(for: trip.pause)
            try await receive(trip, &connection, pause: nil)
        case .sendAndClose:
            try await connection.send(trip.size, of: trip.id, .toTarget)
        case .both:
            let sender = connection.sender
            async let sent = sender.send(trip.size, of: trip.id, .toTarget)
            // The target closes only behind the end of what it reads.
            var content = Content(connection: trip.id, .fromTarget)
            while content.count < trip.size, let bytes = try await connection.read() { try content.take(bytes) }
            let digest = try await sent
            connection.finish()
            guard content.count == trip.size else { throw Broken(description: "the end came after \(content.count) of \(trip.size) bytes") }
            guard try await connection.read() == nil else { throw Impossible(what: "bytes behind the last") }
            try await arrival(of: trip, digest: digest)
        case .resetByTarget:
            // Written until the end is heard of, if it is not before.
            do {
                while true { try await connection.send(trip.size, of: trip.id, .toTarget) }
            } catch is CancellationError { throw CancellationError() } catch {}
        case .resetByClient:
            _ = try await connection.read()
        case .refused, .blackHole, .unknown, .forbidden, .abandoned: break
        }
    }

    private func echo(_ trip: Trip, _ count: Int, _ connection: inout TestConnection) async throws {
        var sent = Content(connection: trip.id, .toTarget)
        var received = sent
        for _ in 0..<count {
            let end = sent.count + 1024
            while sent.count < end { try await connection.output.write(sent.next(end - sent.count)) }
            while received.count < end {
                guard let bytes = try await connection.read() else { throw Broken(description: "the end came in an echo") }
                try received.take(bytes)
            }
        }
    }

    private func receive(_ trip: Trip, _ connection: inout TestConnection, pause: Duration?) async throws {
        var content = Content(connection: trip.id, .fromTarget)
        while let bytes = try await connection.read() {
            try content.take(bytes)
            if let pause { try await Task.sleep(for: pause) }
        }
        var whole = Content(connection: trip.id, .fromTarget)
        while whole.count < trip.size { _ = whole.next(trip.size - whole.count) }
        guard content.count == trip.size else { throw Broken(description: "the end came after \(content.count) of \(trip.size) bytes") }
        try await same(content.digest, whole.digest)
    }

    private func same(_ received: String, _ sent: String) async throws {
        guard received == sent else { throw Impossible(what: "the hash of what arrived is \(received), of what was sent \(sent)") }
    }

    /// What the client wrote before it closed is to arrive.
    private func arrival(of trip: Trip, digest: String) async throws {
        let entry = try await entry(of: trip) { $0.digest != nil || $0.isOver }
        guard let received = entry.digest else { throw Broken(description: "the target saw it break off") }
        if received == digest { return }
        throw Broken(description: "the target read to the end, \(received), and \(digest) was sent")
    }

    private func ending(of trip: Trip) async throws { _ = try await entry(of: trip) { $0.isOver } }

    private func entry(of trip: Trip, where condition: (Ledger.Entry) -> Bool) async throws -> Ledger.Entry {
        let patience = ContinuousClock.now + .seconds(100)
        while true {
            let entry = ledger.entry(trip.id)
            if let entry, condition(entry) { return entry }
            // A tunnel that broke off may have lost even the line that says which trip it is.
            if entry == nil, ContinuousClock.now > patience { throw Broken(description: "the target never heard of it") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
