/* Loaded before libcamera's virtual pipeline on a kernel without /dev/udmabuf: memory of a memfd in its place.
 * Usage: LD_PRELOAD=udmabuf.so ... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static int open_device(const char *name, const char *path, int flags, mode_t mode)
{
	int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
	int opened = real(path, flags, mode);

	if (opened < 0 && errno == ENOENT && path && !strcmp(path, "/dev/udmabuf"))
		opened = memfd_create("udmabuf", MFD_CLOEXEC);
	return opened;
}

#define OPEN(name)                                                      \
	int name(const char *path, int flags, ...)                      \
	{                                                               \
		va_list more;                                           \
		mode_t mode = 0;                                        \
		if (flags & (O_CREAT | O_TMPFILE)) {                    \
			va_start(more, flags);                          \
			mode = va_arg(more, mode_t);                    \
			va_end(more);                                   \
		}                                                       \
		return open_device(#name, path, flags, mode);           \
	}
OPEN(open)
OPEN(open64)

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	va_list more;
	void *argument;
	int answer;

	va_start(more, request);
	argument = va_arg(more, void *);
	va_end(more);
	answer = real(fd, request, argument);
	if (answer >= 0)
		return answer;
	if (request == UDMABUF_CREATE)
		return fcntl(((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
	return request == DMA_BUF_IOCTL_SYNC ? 0 : answer;
}
