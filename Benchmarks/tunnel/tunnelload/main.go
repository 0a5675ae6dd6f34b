// tunnelload drives an HTTP CONNECT front end (unix socket or TCP) and a target it starts itself,
// and prints one JSON object. Standard library only.
//
//	tunnelload -front unix:s.sock -mode down -conns 10 -seconds 5
//	tunnelload -front direct -mode dial -rate 500 -seconds 5
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var front = flag.String("front", "direct", "direct | unix:PATH | tcp:HOST:PORT")
var mode = flag.String("mode", "down", "down | up | dial | rps | idle | fair | fairup")
var conns = flag.Int("conns", 1, "connections")
var rate = flag.Int("rate", 200, "dials a second (dial mode)")
var seconds = flag.Float64("seconds", 5, "how long")
var targetHost = flag.String("target-host", "127.0.0.1", "address that the target listens on and is dialled at")
var pids = flag.String("pids", "", "comma separated pids whose RSS is reported (idle mode)")

func target() string {
	l, err := net.Listen("tcp", *targetHost+":0")
	if err != nil {
		fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

// the first byte names the behaviour: d send for ever, u read for ever, e echo, s read nothing more
func serve(c net.Conn) {
	defer c.Close()
	b := make([]byte, 1)
	if _, err := io.ReadFull(c, b); err != nil {
		return
	}
	switch b[0] {
	case 'd':
		buf := make([]byte, 256<<10)
		for {
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	case 'u':
		buf := make([]byte, 256<<10)
		for {
			n, err := c.Read(buf)
			atomic.AddInt64(&received, int64(n))
			if err != nil {
				return
			}
		}
	case 's':
		select {}
	case 'e':
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if n > 0 {
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
}

var received int64

func dial(addr string) (net.Conn, error) {
	if *front == "direct" {
		return net.Dial("tcp", addr)
	}
	var c net.Conn
	var err error
	if strings.HasPrefix(*front, "unix:") {
		c, err = net.Dial("unix", strings.TrimPrefix(*front, "unix:"))
	} else {
		c, err = net.Dial("tcp", strings.TrimPrefix(*front, "tcp:"))
	}
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(15 * time.Second))
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", addr)
	r := bufio.NewReaderSize(c, 4096)
	line, err := r.ReadString('\n')
	if err != nil {
		c.Close()
		return nil, err
	}
	if !strings.Contains(line, " 200 ") {
		c.Close()
		return nil, fmt.Errorf("front end said %q", strings.TrimSpace(line))
	}
	for {
		h, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if h == "\r\n" {
			break
		}
	}
	c.SetDeadline(time.Time{})
	return c, nil
}

func fatal(err error) { fmt.Fprintln(os.Stderr, err); os.Exit(1) }

func pct(d []time.Duration, p float64) float64 {
	if len(d) == 0 {
		return -1
	}
	sort.Slice(d, func(i, j int) bool { return d[i] < d[j] })
	i := int(float64(len(d)-1) * p)
	return float64(d[i].Microseconds()) / 1000
}

func rss() map[string]int64 {
	m := map[string]int64{}
	for _, p := range strings.Split(*pids, ",") {
		if p == "" {
			continue
		}
		b, _ := os.ReadFile("/proc/" + p + "/status")
		for _, l := range strings.Split(string(b), "\n") {
			if strings.HasPrefix(l, "VmRSS:") {
				var k int64
				fmt.Sscanf(strings.TrimSpace(strings.TrimPrefix(l, "VmRSS:")), "%d", &k)
				m[p] = k
			}
		}
	}
	return m
}

func cpu() float64 {
	var t float64
	for _, p := range strings.Split(*pids, ",") {
		if p == "" {
			continue
		}
		b, _ := os.ReadFile("/proc/" + p + "/stat")
		f := strings.Fields(string(b[strings.LastIndex(string(b), ")")+1:]))
		var u, s float64
		fmt.Sscan(f[11], &u)
		fmt.Sscan(f[12], &s)
		t += (u + s) / 100
	}
	return t
}

func main() {
	flag.Parse()
	addr := target()
	out := map[string]any{"front": *front, "mode": *mode, "conns": *conns}
	stop := time.Now().Add(time.Duration(*seconds * float64(time.Second)))
	c0 := cpu()
	switch *mode {
	case "down", "up":
		var total int64
		var wg sync.WaitGroup
		t0 := time.Now()
		for i := 0; i < *conns; i++ {
			c, err := dial(addr)
			if err != nil {
				fatal(err)
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				defer c.Close()
				buf := make([]byte, 256<<10)
				c.SetDeadline(stop)
				if *mode == "down" {
					c.Write([]byte("d"))
					for {
						n, err := c.Read(buf)
						atomic.AddInt64(&total, int64(n))
						if err != nil {
							return
						}
					}
				}
				c.Write([]byte("u"))
				for {
					if _, err := c.Write(buf); err != nil {
						return
					}
				}
			}()
		}
		wg.Wait()
		if *mode == "up" {
			total = atomic.LoadInt64(&received)
		}
		s := time.Since(t0).Seconds()
		out["MiB_per_s"] = float64(total) / s / (1 << 20)
		if d := cpu() - c0; d > 0 {
			out["cpu_s_per_GiB"] = d / (float64(total) / (1 << 30))
		}
	case "dial":
		var mu sync.Mutex
		var ds []time.Duration
		var fails int
		var wg sync.WaitGroup
		tick := time.NewTicker(time.Second / time.Duration(*rate))
		for time.Now().Before(stop) {
			<-tick.C
			wg.Add(1)
			go func() {
				defer wg.Done()
				t := time.Now()
				c, err := dial(addr)
				if err == nil {
					c.Write([]byte("ex"))
					b := make([]byte, 1)
					c.SetDeadline(time.Now().Add(15 * time.Second))
					_, err = io.ReadFull(c, b)
					c.Close()
				}
				mu.Lock()
				if err != nil {
					fails++
				} else {
					ds = append(ds, time.Since(t))
				}
				mu.Unlock()
			}()
		}
		wg.Wait()
		out["dials"], out["fails"], out["p50_ms"], out["p99_ms"] = len(ds), fails, pct(ds, .5), pct(ds, .99)
		out["cpu_s_per_1000"] = (cpu() - c0) / float64(len(ds)) * 1000
	case "rps", "fair", "fairup":
		var n int64
		var mu sync.Mutex
		var ds []time.Duration
		var wg sync.WaitGroup
		if *mode == "fair" { // one connection asks for data for ever and never reads it
			c, err := dial(addr)
			if err != nil {
				fatal(err)
			}
			c.Write([]byte("d"))
			defer c.Close()
			time.Sleep(2 * time.Second)
			stop = time.Now().Add(time.Duration(*seconds * float64(time.Second)))
		}
		if *mode == "fairup" { // one connection sends for ever to a target that stops reading
			c, err := dial(addr)
			if err != nil {
				fatal(err)
			}
			c.Write([]byte("s"))
			defer c.Close()
			go func() {
				buf := make([]byte, 256<<10)
				for {
					if _, err := c.Write(buf); err != nil {
						return
					}
				}
			}()
			time.Sleep(2 * time.Second)
			stop = time.Now().Add(time.Duration(*seconds * float64(time.Second)))
		}
		var fails int64
		for i := 0; i < *conns; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				c, err := dial(addr)
				if err != nil {
					atomic.AddInt64(&fails, 1)
					return
				}
				defer c.Close()
				c.SetDeadline(stop.Add(5 * time.Second))
				c.Write([]byte("e"))
				b := make([]byte, 1024)
				for time.Now().Before(stop) {
					t := time.Now()
					if _, err := c.Write(b); err != nil {
						atomic.AddInt64(&fails, 1)
						return
					}
					if _, err := io.ReadFull(c, b); err != nil {
						atomic.AddInt64(&fails, 1)
						return
					}
					d := time.Since(t)
					atomic.AddInt64(&n, 1)
					mu.Lock()
					ds = append(ds, d)
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
		out["per_s"], out["p50_ms"], out["p99_ms"], out["fails"] = float64(n)/(*seconds), pct(ds, .5), pct(ds, .99), fails
	case "idle":
		before := rss()
		var cs []net.Conn
		for i := 0; i < *conns; i++ {
			c, err := dial(addr)
			if err != nil {
				out["error"] = err.Error()
				break
			}
			c.Write([]byte("ex"))
			b := make([]byte, 1)
			io.ReadFull(c, b)
			cs = append(cs, c)
		}
		time.Sleep(2 * time.Second)
		after := rss()
		out["open"] = len(cs)
		var d int64
		for k, v := range after {
			d += v - before[k]
		}
		out["rss_before_KiB"], out["rss_after_KiB"] = before, after
		if len(cs) > 0 {
			out["KiB_per_conn"] = float64(d) / float64(len(cs))
		}
		for _, c := range cs {
			c.Close()
		}
		time.Sleep(3 * time.Second)
		out["rss_closed_KiB"] = rss()
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
