// Loads a server of this machine in the ways that wrk does not: a fixed number of requests, a fixed rate whose latency
// is counted from when each request was due (so that a server that stalls is charged for what it kept waiting), and
// WebSocket echoes. One thread, no copies of what is received; prints one line of JSON.
//
//     client count     PORT CONNECTIONS REQUESTS      < request
//     client rate      PORT CONNECTIONS RATE SECONDS  < request
//     client websocket PORT CONNECTIONS SIZE SECONDS [MESSAGES]
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RECEIVE = 256 * 1024, HEAD = 16 * 1024, MOST_CONNECTIONS = 4096, MOST_SAMPLES = 1 << 22 };

struct connection {
    int fd;
    int busy;
    uint64_t due;         // when the request that is under way was to be sent
    size_t unsent;        // of the request
    char head[HEAD + 1];  // of the response, or of a frame, as far as it has come
    size_t head_count;
    int64_t body_left;    // -1: the head is not complete
    int is_chunked;
    size_t tail_count;    // of the last five bytes of a chunked body
    char tail[5];
};

static struct connection *connections;
static int connection_count, poll_fd, port;
static char *request, *received;
static size_t request_count;
static uint64_t answered, errors, sample_count;
static uint32_t *samples;

static void fail(const char *what) {
    fprintf(stderr, "client: %s: %s\n", what, errno ? strerror(errno) : "wrong");
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void expect_answer(struct connection *c) {
    c->head_count = 0;
    c->body_left = -1;
    c->is_chunked = 0;
    c->tail_count = 0;
}

static void open_connection(struct connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll_ctl");
    c->busy = 0;
    expect_answer(c);
}

static void watch(struct connection *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void send_rest(struct connection *c) {
    while (c->unsent) {
        ssize_t sent = send(c->fd, request + request_count - c->unsent, c->unsent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return watch(c, EPOLLIN | EPOLLOUT);
        if (sent < 0) fail("send");
        c->unsent -= (size_t)sent;
    }
}

static void send_request(struct connection *c, uint64_t due) {
    c->busy = 1;
    c->due = due;
    c->unsent = request_count;
    expect_answer(c);
    send_rest(c);
}

// Takes the head apart; the result is what of `count` bytes belongs to it, or all of them while it is incomplete.
static size_t take_head(struct connection *c, const char *bytes, size_t count) {
    size_t before = c->head_count, room = HEAD - before, taken = count < room ? count : room;
    memcpy(c->head + before, bytes, taken);
    c->head_count += taken;
    c->head[c->head_count] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        if (c->head_count == HEAD) fail("a head of 16 KiB");
        return taken;
    }
    if (strncmp(c->head + 9, "200", 3)) errors++;
    char *length = strcasestr(c->head, "\r\ncontent-length:");
    char *coding = strcasestr(c->head, "\r\ntransfer-encoding:");
    if (length && length < end) c->body_left = atoll(length + 17);
    else if (coding && coding < end) c->is_chunked = 1, c->body_left = 1;
    else fail("a response without a length");
    return (size_t)(end + 4 - c->head) - before;
}

// Whether the response is complete after these bytes.
static int take(struct connection *c, const char *bytes, size_t count) {
    if (c->body_left < 0) {
        size_t used = take_head(c, bytes, count);
        bytes += used, count -= used;
        if (c->body_left < 0) return 0;
    }
    if (!c->is_chunked) return (c->body_left -= (int64_t)count) <= 0;
    // The chunk of no bytes ends the body. Bodies that hold these five bytes at the end of a piece are not sent to us.
    for (size_t i = count > 5 ? count - 5 : 0; i < count; i++) {
        memmove(c->tail, c->tail + 1, 4);
        c->tail[4] = bytes[i];
        c->tail_count++;
    }
    return c->tail_count >= 5 && !memcmp(c->tail, "0\r\n\r\n", 5);
}

static void note(uint64_t due) {
    uint64_t micros = (now() - due) / 1000;
    if (sample_count < MOST_SAMPLES) samples[sample_count++] = micros > UINT32_MAX ? UINT32_MAX : (uint32_t)micros;
    answered++;
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double part) {
    if (!sample_count) return 0;
    return samples[(uint64_t)(part * (double)(sample_count - 1))];
}

static void report(uint64_t began) {
    uint64_t nanoseconds = now() - began;
    qsort(samples, sample_count, sizeof *samples, ascending);
    printf("{\"requests\": %llu, \"seconds\": %.6f, \"p50_microseconds\": %.0f, \"p99_microseconds\": %.0f, "
           "\"errors\": %llu}\n",
           (unsigned long long)answered, (double)nanoseconds / 1e9, percentile(0.5), percentile(0.99),
           (unsigned long long)errors);
}

static ssize_t receive(struct connection *c) {
    ssize_t count = recv(c->fd, received, RECEIVE, 0);
    if (count > 0 || (count < 0 && errno == EAGAIN)) return count;
    if (count < 0 && errno != ECONNRESET) fail("recv");
    // A server that closes between two requests is asked again on a new connection.
    int was_busy = c->busy;
    if (was_busy && c->head_count) errors++;
    close(c->fd);
    open_connection(c);
    if (was_busy) send_request(c, c->due);
    return 0;
}

static void run_count(uint64_t total) {
    struct epoll_event events[256];
    uint64_t began = now(), started = 0;
    for (int i = 0; i < connection_count && started < total; i++, started++) send_request(&connections[i], now());
    while (answered < total) {
        int ready = epoll_wait(poll_fd, events, 256, 30000);
        if (!ready) fail("no answer for 30 seconds");
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->unsent && (events[i].events & EPOLLOUT)) watch(c, EPOLLIN), send_rest(c);
            ssize_t count = receive(c);
            if (count <= 0 || !c->busy || !take(c, received, (size_t)count)) continue;
            note(c->due);
            c->busy = 0;
            if (started < total) started++, send_request(c, now());
        }
    }
    report(began);
}

static void run_rate(uint64_t rate, uint64_t seconds) {
    struct epoll_event events[256];
    uint64_t total = rate * seconds, interval = 1000000000 / rate, began = now(), due = 0, sent = 0;
    int next = 0;
    while (answered < total && now() - began < (seconds + 10) * 1000000000) {
        // Never waits: the core is this program's own, and what is due is sent when it is due.
        int ready = epoll_wait(poll_fd, events, 256, 0);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->unsent && (events[i].events & EPOLLOUT)) watch(c, EPOLLIN), send_rest(c);
            ssize_t count = receive(c);
            if (count <= 0 || !c->busy || !take(c, received, (size_t)count)) continue;
            note(c->due);
            c->busy = 0;
        }
        for (; due < total && began + due * interval <= now(); due++) {}
        for (int tries = 0; sent < due && tries < connection_count; tries++) {
            struct connection *c = &connections[next];
            next = (next + 1) % connection_count;
            if (!c->busy) send_request(c, began + sent++ * interval);
        }
    }
    errors += total - answered;
    report(began);
}

// MARK: WebSocket

static void build_message(size_t size) {
    request = malloc(size + 14);
    size_t at = 0;
    request[at++] = (char)0x81;
    if (size < 126) request[at++] = (char)(0x80 | size);
    else if (size < 65536) {
        request[at++] = (char)(0x80 | 126);
        request[at++] = (char)(size >> 8);
        request[at++] = (char)size;
    } else fail("messages of 64 KiB and more");
    const char mask[4] = {0x12, 0x34, 0x56, 0x78};
    memcpy(request + at, mask, 4), at += 4;
    for (size_t i = 0; i < size; i++) request[at + i] = (char)(('a' + (char)(i % 26)) ^ mask[i % 4]);
    request_count = at + size;
}

static void shake_hands(struct connection *c) {
    const char *text = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    fcntl(c->fd, F_SETFL, 0);
    if (send(c->fd, text, strlen(text), MSG_NOSIGNAL) < 0) fail("send");
    char answer[4096] = {0};
    size_t count = 0;
    while (!strstr(answer, "\r\n\r\n")) {
        ssize_t more = recv(c->fd, answer + count, sizeof answer - 1 - count, 0);
        if (more <= 0) fail("the handshake was cut short");
        count += (size_t)more;
    }
    if (strncmp(answer, "HTTP/1.1 101", 12)) fail("the handshake was refused");
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void run_websocket(size_t size, uint64_t seconds, uint64_t total) {
    struct epoll_event events[256];
    build_message(size);
    size_t echo = size + (size < 126 ? 2 : 4);
    for (int i = 0; i < connection_count; i++) shake_hands(&connections[i]);
    uint64_t began = now(), end = began + seconds * 1000000000;
    for (int i = 0; i < connection_count; i++) {
        send_request(&connections[i], now());
        connections[i].body_left = (int64_t)echo;
    }
    while (now() < end && (!total || answered < total)) {
        int ready = epoll_wait(poll_fd, events, 256, 1000);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            ssize_t count = recv(c->fd, received, RECEIVE, 0);
            if (count <= 0 && errno != EAGAIN) fail("a WebSocket was closed");
            if (count <= 0) continue;
            if (c->body_left == (int64_t)echo && received[0] != (char)0x81) errors++;
            if ((c->body_left -= count) > 0) continue;
            if (c->body_left < 0) fail("more was echoed than was sent");
            note(c->due);
            send_request(c, now());
            c->body_left = (int64_t)echo;
        }
    }
    report(began);
}

int main(int count, char **arguments) {
    if (count < 5) fail("usage: see the source");
    const char *mode = arguments[1];
    port = atoi(arguments[2]);
    connection_count = atoi(arguments[3]);
    if (connection_count < 1 || connection_count > MOST_CONNECTIONS) fail("number of connections");
    connections = calloc((size_t)connection_count, sizeof *connections);
    samples = malloc(MOST_SAMPLES * sizeof *samples);
    received = malloc(RECEIVE);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || !samples || !received || poll_fd < 0) fail("no memory");
    for (int i = 0; i < connection_count; i++) open_connection(&connections[i]);
    if (!strcmp(mode, "websocket")) {
        if (count < 6) fail("usage: see the source");
        uint64_t messages = count > 6 ? (uint64_t)atoll(arguments[6]) : 0;
        run_websocket((size_t)atoi(arguments[4]), (uint64_t)atoll(arguments[5]), messages);
        return 0;
    }
    request = malloc(1 << 20);
    request_count = fread(request, 1, 1 << 20, stdin);
    if (!strcmp(mode, "count")) run_count((uint64_t)atoll(arguments[4]));
    else if (!strcmp(mode, "rate") && count > 5) run_rate((uint64_t)atoll(arguments[4]), (uint64_t)atoll(arguments[5]));
    else fail("usage: see the source");
    return 0;
}
