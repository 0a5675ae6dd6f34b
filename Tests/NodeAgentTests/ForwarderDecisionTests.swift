import Glibc
import Synchronization
import Testing
import Tunnel

@testable import NodeAgent

@Suite("Which endpoint to try")
struct EndpointHealthTests {
    private func three() throws -> [Endpoint] { try #require(Endpoint.list("a:1,b:1,c:1")) }

    @Test("Sound endpoints take turns")
    func turns() throws {
        var health = EndpointHealth(try three())
        #expect(Set([health.nextOrder()[0], health.nextOrder()[0], health.nextOrder()[0]]).count == 3)
    }

    @Test("One that failed stands last, and comes back when it answers")
    func failed() throws {
        let endpoints = try three()
        var health = EndpointHealth(endpoints)
        let now = ContinuousClock.now
        for time in [now, now + .seconds(1), now + .seconds(2), now + .seconds(3)] {
            let since = health.failed(endpoints[0], at: time)
            #expect(since == nil)
        }
        for _ in 0..<3 { #expect(health.nextOrder().last == endpoints[0]) }
        let since = health.failed(endpoints[0], at: now + .seconds(5))
        #expect(since == now, "its connections that were silent since are to be closed")
        health.succeeded(endpoints[0])
        #expect(Set((0..<3).map { _ in health.nextOrder()[0] }).count == 3)
    }

    @Test("When all have failed, the oldest failure is tried first, and no connection is closed")
    func allFailed() throws {
        let endpoints = try three()
        var health = EndpointHealth(endpoints)
        let now = ContinuousClock.now
        for (index, endpoint) in endpoints.enumerated() { _ = health.failed(endpoint, at: now + .seconds(index)) }
        for time in 8...9 {
            let since = health.failed(endpoints[2], at: now + .seconds(time))
            #expect(since == nil)
        }
        #expect(health.nextOrder() == endpoints)
    }

    @Test("A new list keeps what is known of those that stay")
    func update() throws {
        let endpoints = try three()
        var health = EndpointHealth(endpoints)
        _ = health.failed(endpoints[1], at: .now)
        let gone = health.update([endpoints[1], endpoints[2], endpoints[2]])
        #expect(gone == [endpoints[0]])
        #expect(health.nextOrder() == [endpoints[2], endpoints[1]])
        health.update([])
        #expect(health.nextOrder().isEmpty)
    }
}

@Suite("Which endpoint a connection gets")
struct EndpointRaceTests {
    private func three() throws -> [Endpoint] { try #require(Endpoint.list("a:1,b:1,c:1")) }

    @Test("The next one is tried when one failed, until none is left")
    func failures() throws {
        let endpoints = try three()
        var race = EndpointRace(endpoints)
        var actions = [race.start()]
        for endpoint in endpoints { actions.append(race.failed(endpoint)) }
        #expect(actions == endpoints.map { .connect($0) } + [.giveUp])
        var nothing = EndpointRace([])
        let action = nothing.start()
        #expect(action == .giveUp)
    }

    @Test("One that keeps it waiting runs beside the next, and the first to answer has it")
    func waiting() throws {
        let endpoints = try three()
        var race = EndpointRace(endpoints)
        _ = race.start()
        var action = race.waited(for: endpoints[0])
        #expect(action == .connect(endpoints[1]))
        action = race.waited(for: endpoints[0])
        #expect(action == .wait, "it has been waited for that one already")
        let first = race.connected()
        let second = race.connected()
        #expect(first && !second)
        action = race.failed(endpoints[0])
        #expect(action == .wait, "it is over")
        action = race.waited(for: endpoints[1])
        #expect(action == .wait)
    }

    @Test("It does not give up while one has not answered")
    func slow() throws {
        let endpoints = Array(try three().prefix(2))
        var race = EndpointRace(endpoints)
        _ = race.start()
        _ = race.waited(for: endpoints[0])
        var action = race.failed(endpoints[1])
        #expect(action == .wait)
        action = race.failed(endpoints[0])
        #expect(action == .giveUp)
    }
}

@Suite("Who may use the node-local API address")
struct SourceFilterTests {
    @Test("This machine and its own pods, nobody else")
    func sources() throws {
        let reads = Mutex(0)
        let mine = try #require(IPAddress("192.0.2.5"))
        let later = try #require(IPAddress("192.0.2.6"))
        let filter = SourceFilter(pods: AddressBlock("10.1.0.0/24")) {
            reads.withLock {
                $0 += 1
                return $0 > 1 ? [mine, later] : [mine]
            }
        }
        let now = ContinuousClock.now
        #expect(filter.allows(try #require(IPAddress("10.1.0.9")), now: now))
        #expect(filter.allows(mine, now: now))
        #expect(!filter.allows(later, now: now))
        #expect(!filter.allows(try #require(IPAddress("10.1.1.9")), now: now))
        #expect(reads.withLock { $0 } == 1, "a stranger does not make us look again at once")
        #expect(filter.allows(later, now: now + .seconds(2)))
    }

    @Test("The machine's own addresses are found")
    func machine() throws {
        #expect(SourceFilter.machineAddresses().contains(try #require(IPAddress("127.0.0.1"))))
    }
}

@Suite("What was added is remembered")
struct OwnedThingsTests {
    @Test func text() throws {
        var owned = OwnedThings()
        owned.addresses = [try #require(IPAddress("172.20.0.1"))]
        owned.arpIgnore = "0"
        #expect(owned.text == "address 172.20.0.1\narp-ignore 0\n")
        #expect(OwnedThings(text: owned.text) == owned)
        #expect(OwnedThings(text: "garbage\naddress x\narp-ignore ../x\n") == OwnedThings())
    }

    @Test("The cached state outlives a restart, and a broken file is no obstacle")
    func state() throws {
        let path = "/tmp/nbn-\(UInt32.random(in: 0 ... .max))"
        let directory = StateDirectory(path: path)
        #expect(directory.state() == nil)
        try directory.prepare()
        let state = NodeState(apiEndpoints: try #require(Endpoint.list("192.0.2.1:443")))
        try directory.save(state)
        #expect(directory.state() == state)
        try SmallFile.replace(path + "/state", with: "state 0\napi nowhere\n")
        #expect(directory.state() == nil)
        #expect(try directory.owned() == OwnedThings())
        try directory.remove()
        _ = rmdir(path)
    }
}
