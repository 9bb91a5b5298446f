/*
 * Process 1 of a guest, once the host's file system is its root: starts the host's commands, each in a session
 * of its own, and carries their input, output, signals and exit over the virtio-serial port `netts.agent`.
 * It also reaps orphans. In C, statically linked: an emulated guest takes seconds to start anything larger.
 *
 * usage: agent FOLDER (with the files `devices` and `devices.problem` that init.sh wrote)
 *
 * Frames are described in src/frames.ts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY = 1, START, INPUT, SIGNAL, STDOUT, STDERR, EXIT, POWER_OFF };
enum { HEADER_BYTES = 9, CHUNK_BYTES = 65536, MAX_COMMANDS = 64 };
/* How much output may wait for the host before commands are held back. */
enum { MAX_QUEUED_BYTES = 1 << 20 };
/* How long output may still come from background processes that outlive their command. */
enum { LINGER_MS = 1000 };

/* Bytes that wait: [start, end) of `bytes`. */
struct queue {
  uint8_t *bytes;
  size_t start, end, capacity;
};

struct command {
  uint32_t number; /* 0: this place is free */
  pid_t pid;
  int input, outputs[2]; /* pipes to and from it; -1 when closed */
  int input_ends, exited, wait_status;
  int64_t exited_at_ms;
  struct queue pending_input;
};

static struct command commands[MAX_COMMANDS];
static struct queue to_host, from_host;
static int port;

static void die(const char *what) {
  fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
  sync();
  reboot(RB_POWER_OFF);
  abort();
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Makes room for `size` more bytes and returns where they go; queue->end is for the caller to advance. */
static uint8_t *reserve(struct queue *queue, size_t size) {
  if (queue->start == queue->end) queue->start = queue->end = 0;
  if (queue->end + size > queue->capacity) {
    memmove(queue->bytes, queue->bytes + queue->start, queue->end - queue->start);
    queue->end -= queue->start;
    queue->start = 0;
    if (queue->end + size > queue->capacity) {
      queue->capacity = 2 * (queue->end + size);
      queue->bytes = realloc(queue->bytes, queue->capacity);
      if (queue->bytes == NULL) die("memory");
    }
  }
  return queue->bytes + queue->end;
}

static size_t queued(const struct queue *queue) { return queue->end - queue->start; }

/* Writes what waits; returns -1 when nobody will ever read it. */
static int write_queue(int fd, struct queue *queue) {
  while (queued(queue) > 0) {
    ssize_t written = write(fd, queue->bytes + queue->start, queued(queue));
    if (written < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    queue->start += (size_t)written;
  }
  return 0;
}

static void put_header(uint8_t *to, int kind, uint32_t number, size_t size) {
  uint32_t length = htobe32((uint32_t)size), be_number = htobe32(number);
  memcpy(to, &length, 4);
  to[4] = (uint8_t)kind;
  memcpy(to + 5, &be_number, 4);
}

static void send_frame(int kind, uint32_t number, const void *payload, size_t size) {
  uint8_t *to = reserve(&to_host, HEADER_BYTES + size);
  put_header(to, kind, number, size);
  memcpy(to + HEADER_BYTES, payload, size);
  to_host.end += HEADER_BYTES + size;
}

static void send_exit(uint32_t number, const char *how, int value, const char *text) {
  char line[256];
  int size = text ? snprintf(line, sizeof line, "%s %s", how, text) : snprintf(line, sizeof line, "%s %d", how, value);
  send_frame(EXIT, number, line, (size_t)size);
}

static struct command *find_command(uint32_t number) {
  for (int i = 0; i < MAX_COMMANDS; i++)
    if (commands[i].number == number) return &commands[i];
  return NULL;
}

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* In the child: becomes the command, or writes why it cannot to `failure`. */
static void become(char *const *argv, char **env, const char *cwd, const int *fds, int failure) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  for (int fd = 0; fd < 3; fd++) dup2(fds[fd], fd);
  environ = env;
  if (chdir(cwd) == 0) execvp(argv[0], argv);
  int problem = errno;
  if (write(failure, &problem, sizeof problem) < 0) _exit(126);
  _exit(127);
}

/* Payload: the number of arguments (u32), then strings that end in NUL: cwd, arguments, environment. */
static void start_command(uint32_t number, uint8_t *payload, size_t size) {
  struct command *command = find_command(0);
  if (command == NULL) return send_exit(number, "problem", 0, "too many commands run at the same time");
  uint32_t argc;
  memcpy(&argc, payload, 4);
  argc = be32toh(argc);
  size_t strings = 0;
  for (size_t i = 4; i < size; i++) strings += payload[i] == 0;
  char **list = calloc(strings + 2, sizeof *list); /* arguments, NULL, environment, NULL */
  if (list == NULL || argc + 1 > strings) die("start");
  char *cwd = (char *)payload + 4, *next = cwd + strlen(cwd) + 1;
  for (size_t i = 1; i < strings; i++, next += strlen(next) + 1) list[i - 1 + (i > argc)] = next;

  int input[2], output[2], errors[2], failure[2];
  if (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC) || pipe2(errors, O_CLOEXEC) || pipe2(failure, O_CLOEXEC))
    die("pipe");
  pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid == 0) become(list, list + argc + 1, cwd, (int[]){input[0], output[1], errors[1]}, failure[1]);
  free(list);
  close(input[0]);
  close(output[1]);
  close(errors[1]);
  close(failure[1]);
  int problem;
  int failed = read(failure[0], &problem, sizeof problem) > 0;
  close(failure[0]);
  if (failed) {
    close(input[1]);
    close(output[0]);
    close(errors[0]);
    return send_exit(number, "problem", 0, strerror(problem));
  }
  fcntl(input[1], F_SETFL, O_NONBLOCK);
  *command = (struct command){.number = number, .pid = pid, .input = input[1], .outputs = {output[0], errors[0]}};
}

static void add_input(struct command *command, const uint8_t *payload, size_t size) {
  if (size == 0) command->input_ends = 1;
  memcpy(reserve(&command->pending_input, size), payload, size);
  command->pending_input.end += size;
}

static void handle_frame(int kind, uint32_t number, uint8_t *payload, size_t size) {
  struct command *command = number == 0 ? NULL : find_command(number);
  if (kind == START) start_command(number, payload, size);
  else if (kind == INPUT && command) add_input(command, payload, size);
  else if (kind == SIGNAL && command && size == 1) kill(-command->pid, payload[0]);
  else if (kind == POWER_OFF) {
    sync();
    reboot(RB_POWER_OFF);
  }
}

static void read_port(void) {
  for (;;) {
    ssize_t size = read(port, reserve(&from_host, CHUNK_BYTES), CHUNK_BYTES);
    if (size <= 0) break; /* nothing more now, or the host's side is not open yet */
    from_host.end += (size_t)size;
  }
  for (;;) {
    uint8_t *frame = from_host.bytes + from_host.start;
    if (queued(&from_host) < HEADER_BYTES) return;
    uint32_t size, number;
    memcpy(&size, frame, 4);
    memcpy(&number, frame + 5, 4);
    size = be32toh(size);
    if (queued(&from_host) < HEADER_BYTES + (size_t)size) return;
    from_host.start += HEADER_BYTES + (size_t)size;
    handle_frame(frame[4], be32toh(number), frame + HEADER_BYTES, size);
  }
}

/* Passes on what a command wrote, or notes that it will write no more. */
static void read_output(struct command *command, int which) {
  uint8_t *to = reserve(&to_host, HEADER_BYTES + CHUNK_BYTES);
  ssize_t size = read(command->outputs[which], to + HEADER_BYTES, CHUNK_BYTES);
  if (size <= 0) {
    if (size == 0 || errno != EINTR) close_fd(&command->outputs[which]);
    return;
  }
  put_header(to, which == 0 ? STDOUT : STDERR, command->number, (size_t)size);
  to_host.end += HEADER_BYTES + (size_t)size;
}

static void reap(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    for (int i = 0; i < MAX_COMMANDS; i++)
      if (commands[i].number != 0 && commands[i].pid == pid && !commands[i].exited) {
        commands[i].exited = 1;
        commands[i].wait_status = status;
        commands[i].exited_at_ms = now_ms();
      }
}

/* Reports a command that exited, once all of its output is read or its time for that is over. */
static void finish(struct command *command) {
  if (!command->exited) return;
  struct pollfd outputs[2] = {{command->outputs[0], POLLIN, 0}, {command->outputs[1], POLLIN, 0}};
  int open = command->outputs[0] >= 0 || command->outputs[1] >= 0;
  if (open && (now_ms() < command->exited_at_ms + LINGER_MS || poll(outputs, 2, 0) > 0)) return;
  int status = command->wait_status;
  if (WIFSIGNALED(status)) send_exit(command->number, "signal", WTERMSIG(status), NULL);
  else send_exit(command->number, "status", WEXITSTATUS(status), NULL);
  close_fd(&command->input);
  close_fd(&command->outputs[0]);
  close_fd(&command->outputs[1]);
  free(command->pending_input.bytes);
  *command = (struct command){0};
}

static void write_input(struct command *command) {
  int broken = write_queue(command->input, &command->pending_input) < 0;
  if (broken || (command->input_ends && queued(&command->pending_input) == 0)) close_fd(&command->input);
}

static void send_file(const char *folder, const char *name) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  uint8_t *to = reserve(&to_host, CHUNK_BYTES);
  ssize_t size = fd < 0 ? -1 : read(fd, to, CHUNK_BYTES);
  if (size < 0) die(path);
  to_host.end += (size_t)size;
  close(fd);
}

/* READY, with the two files, a NUL between them. */
static void send_ready(const char *folder) {
  send_frame(READY, 0, "", 0);
  send_file(folder, "devices");
  *reserve(&to_host, 1) = 0;
  to_host.end++;
  send_file(folder, "devices.problem");
  put_header(to_host.bytes, READY, 0, to_host.end - HEADER_BYTES);
}

static int open_port(void) {
  DIR *ports = opendir("/sys/class/virtio-ports");
  for (struct dirent *entry; ports && (entry = readdir(ports));) {
    char path[512], name[64] = "";
    snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/name", entry->d_name);
    FILE *file = fopen(path, "re");
    if (file == NULL) continue;
    int named = fscanf(file, "%63s", name);
    fclose(file);
    snprintf(path, sizeof path, "/dev/%s", entry->d_name);
    if (named == 1 && strcmp(name, "netts.agent") == 0) {
      closedir(ports);
      return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
  }
  errno = ENODEV;
  return -1;
}

int main(int argc, char **argv) {
  if (argc != 2) die("usage: agent FOLDER");
  const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY}, files = {65536, 65536};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, NULL);
  int deaths = signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);
  port = open_port();
  if (port < 0 || deaths < 0) die("the virtio-serial port");
  send_ready(argv[1]);

  for (;;) {
    struct pollfd polls[2 + 3 * MAX_COMMANDS];
    polls[0] = (struct pollfd){port, (short)(POLLIN | (queued(&to_host) > 0 ? POLLOUT : 0)), 0};
    polls[1] = (struct pollfd){deaths, POLLIN, 0};
    int timeout_ms = -1;
    for (int i = 0; i < MAX_COMMANDS; i++) {
      struct command *command = &commands[i];
      int used = command->number != 0, room = queued(&to_host) < MAX_QUEUED_BYTES;
      int feeding = used && (queued(&command->pending_input) > 0 || command->input_ends);
      for (int which = 0; which < 2; which++)
        polls[2 + 3 * i + which] = (struct pollfd){used && room ? command->outputs[which] : -1, POLLIN, 0};
      polls[4 + 3 * i] = (struct pollfd){feeding ? command->input : -1, POLLOUT, 0};
      if (used && command->exited) timeout_ms = 50;
    }
    poll(polls, sizeof polls / sizeof *polls, timeout_ms);

    struct signalfd_siginfo death;
    while (read(deaths, &death, sizeof death) > 0) continue;
    reap();
    for (int i = 0; i < MAX_COMMANDS; i++) {
      if (commands[i].number == 0) continue;
      for (int which = 0; which < 2; which++)
        if (polls[2 + 3 * i + which].revents) read_output(&commands[i], which);
      if (polls[4 + 3 * i].revents) write_input(&commands[i]);
      finish(&commands[i]);
    }
    if (polls[0].revents & POLLHUP) usleep(20000); /* the host's side is not open yet */
    else if (polls[0].revents & POLLIN) read_port();
    if (write_queue(port, &to_host) < 0) die("writing to the host");
  }
}
