// SPDX-License-Identifier: Apache-2.0
/*
 * stream ADDRESS PORT MIB sends that many MiB by TCP; stream PORT receives
 * until the sender is through and prints how many bytes came. Each ends when
 * the other side has seen its end. The network bench's tool: busybox's nc
 * works in pieces of 1 KiB.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

static char piece[65536];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_port = htons((uint16_t)atoi(port));
	to.sin_addr.s_addr = address ? inet_addr(address) : INADDR_ANY;
	return to;
}

static void send_all(const char *address, const char *port, uint64_t left)
{
	struct sockaddr_in to = address_of(address, port);
	int sock = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t done;

	if (connect(sock, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	while (left > 0) {
		done = write(sock, piece, left < sizeof(piece) ? left : sizeof(piece));
		if (done <= 0)
			die("write");
		left -= (uint64_t)done;
	}
	shutdown(sock, SHUT_WR);
	if (read(sock, piece, 1) != 0)
		die("read");
}

static void receive_all(const char *port)
{
	struct sockaddr_in from = address_of(NULL, port);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;
	int sock;
	uint64_t all = 0;
	ssize_t got;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&from, sizeof(from)) || listen(listener, 1))
		die("listen");
	sock = accept(listener, NULL, NULL);
	while ((got = read(sock, piece, sizeof(piece))) > 0)
		all += (uint64_t)got;
	if (got < 0)
		die("read");
	printf("%llu\n", (unsigned long long)all);
}

int main(int argc, char **argv)
{
	if (argc == 4)
		send_all(argv[1], argv[2], (uint64_t)atoi(argv[3]) * MIB);
	else if (argc == 2)
		receive_all(argv[1]);
	else
		return 2;
	return 0;
}
