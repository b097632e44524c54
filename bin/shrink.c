/*
 * seoga shrink -- the only program that decodes pictures from outside: makes
 * of one on descriptor 0 a bounded JPEG and a small one, without anything
 * that was in the file beside its pixels.
 *
 * It answers "<width> <height> <bytes> <bytes of the small one>\n" and the two
 * files on descriptor 1, with status 0; or with status 65 one line that says
 * what is wrong.  lib/shrink.c is the other side.
 *
 * Whatever a file may do to a decoder, it does it to this process, which has
 * no secrets, no files, no network, and little memory and time.
 */
#include "shrink.h"
#include "base.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vips/vips.h>

#include <vips/vector.h> /* needs vips.h */

#define MEMORY_MAX ((rlim_t)1024 * 1024 * 1024)
#define CPU_S 8
#define QUALITY 84

#if defined(__x86_64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_AARCH64
#endif

struct jpeg {
	void *data;
	size_t len;
};

/* What is printed for the log; nobody cleans up after us but the kernel. */
ATTR_NORETURN static void
give_up(const char *why)
{
	printf("%.*s\n", (int)strcspn(why, "\n"), why);
	fflush(stdout);
	_exit(SHRINK_BAD_PICTURE);
}

static void
limit(int resource, rlim_t most)
{
	const struct rlimit both = { most, most };

	if (setrlimit(resource, &both) < 0)
		give_up("setrlimit");
}

/* AddressSanitizer reserves more address space than any limit of use. */
static void
limit_resources(void)
{
#ifndef __SANITIZE_ADDRESS__
	limit(RLIMIT_AS, MEMORY_MAX);
#endif
	limit(RLIMIT_CPU, CPU_S);
	/* Writing more than nothing fails instead of killing us. */
	signal(SIGXFSZ, SIG_IGN);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_CORE, 0);
	alarm(2 * CPU_S);
}

/* Of what a decoder never needs, nothing works any more: no file, no network,
 * no other program or process. */
static void
confine(void)
{
#ifdef AUDIT_ARCH_HERE
/* clang-format off */
#define REFUSE(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_HERE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
#ifdef __x86_64__
		/* The calls of x32 have other numbers. */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		REFUSE(open), REFUSE(creat), REFUSE(unlink), REFUSE(rename),
		REFUSE(fork), REFUSE(vfork),
#endif
		REFUSE(openat), REFUSE(openat2), REFUSE(open_by_handle_at),
		REFUSE(unlinkat), REFUSE(renameat2), REFUSE(linkat),
		REFUSE(symlinkat), REFUSE(mkdirat), REFUSE(truncate),
		REFUSE(execve), REFUSE(execveat), REFUSE(socket),
		REFUSE(socketpair), REFUSE(connect), REFUSE(bind),
		REFUSE(sendto), REFUSE(ptrace), REFUSE(process_vm_readv),
		REFUSE(process_vm_writev), REFUSE(kill), REFUSE(tkill),
		REFUSE(pidfd_open), REFUSE(io_uring_setup), REFUSE(bpf),
		REFUSE(userfaultfd), REFUSE(perf_event_open), REFUSE(unshare),
		REFUSE(setns), REFUSE(mount), REFUSE(chroot), REFUSE(keyctl),
		REFUSE(shmget), REFUSE(prlimit64),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	/* clang-format on */
	const struct sock_fprog program = { LENGTH(code),
		(struct sock_filter *)(uintptr_t)code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		give_up("no_new_privs");
	/* Where the kernel has none of it, the limits must do. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 &&
	    errno != EINVAL)
		give_up("seccomp");
#endif
}

/* What it says of a picture goes to our caller, once. */
static void
be_quiet(const gchar *domain ATTR_UNUSED, GLogLevelFlags level ATTR_UNUSED,
    const gchar *text ATTR_UNUSED, gpointer arg ATTR_UNUSED)
{
}

/* The three formats that we take, and libvips' own decoders for them. */
static void
start_vips(const char *self)
{
	/* Decoders in modules (ImageMagick and others) are not even loaded:
	 * there are none in this place. */
	setenv("VIPSHOME", "/nonexistent", 1);
	g_log_set_default_handler(be_quiet, NULL);
	if (VIPS_INIT(self))
		give_up(vips_error_buffer());
	vips_concurrency_set(1);
	vips_cache_set_max(0);
	/* Makes machine code as it goes: nothing to have beside a decoder. */
	vips_vector_set_enabled(FALSE);
	vips_block_untrusted_set(TRUE);
	vips_operation_block_set("VipsForeignLoad", TRUE);
	vips_operation_block_set("VipsForeignLoadJpeg", FALSE);
	vips_operation_block_set("VipsForeignLoadPng", FALSE);
	vips_operation_block_set("VipsForeignLoadWebp", FALSE);
}

static const void *
map_input(size_t *len)
{
	struct stat st;
	void *data;

	if (fstat(STDIN_FILENO, &st) < 0 || st.st_size <= 0)
		give_up("no input");
	*len = (size_t)st.st_size;
	data = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
	if (data == MAP_FAILED)
		give_up("no memory for the input");
	return data;
}

/* The size by the decoder's own opinion, whatever ours was; and whether its
 * colours are of some device. */
static bool
look_inside(const void *data, size_t len)
{
	bool profile;
	VipsImage *image = vips_image_new_from_buffer(data, len, "", NULL);

	if (!image)
		give_up(vips_error_buffer());
	if ((uint64_t)image->Xsize * (uint64_t)image->Ysize >
	    PICTURE_PIXELS_MAX)
		give_up("too many pixels");
	profile = vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0;
	g_object_unref(image);
	return profile;
}

/* Upright, in sRGB, on white where it is transparent, in memory. */
static VipsImage *
decode(const void *data, size_t len, bool profile)
{
	/* Colours without a profile are sRGB: converting would shift them. */
	const char *name = profile ? "export_profile" : "option_string";
	const char *value = profile ? "srgb" : "[fail_on=error]";
	VipsImage *read, *flat, *plain;
	void *in = (void *)(uintptr_t)data;

	if (vips_thumbnail_buffer(in, len, &read, SHRINK_SIDE, "height",
		SHRINK_SIDE, "size", VIPS_SIZE_DOWN, "option_string",
		"[fail_on=error]", name, value, NULL))
		give_up(vips_error_buffer());
	if (vips_image_hasalpha(read)) {
		VipsArrayDouble *white =
		    vips_array_double_newv(3, 255.0, 255.0, 255.0);

		if (vips_flatten(read, &flat, "background", white, NULL))
			give_up(vips_error_buffer());
	} else {
		flat = read;
	}
	plain = vips_image_copy_memory(flat);
	if (!plain)
		give_up(vips_error_buffer());
	return plain;
}

static struct jpeg
encode(VipsImage *image)
{
	struct jpeg jpeg;

	if (vips_jpegsave_buffer(image, &jpeg.data, &jpeg.len, "Q", QUALITY,
		"strip", TRUE, "optimize_coding", TRUE, NULL))
		give_up(vips_error_buffer());
	return jpeg;
}

static struct jpeg
encode_small(VipsImage *image)
{
	VipsImage *small;

	if (vips_thumbnail_image(image, &small, SHRINK_SMALL_WIDTH, "height",
		SHRINK_SMALL_HEIGHT, "size", VIPS_SIZE_DOWN, NULL))
		give_up(vips_error_buffer());
	return encode(small);
}

int
main(int argc, char **argv)
{
	struct jpeg large, small;
	VipsImage *image;
	const void *data;
	size_t len;

	if (argc > 1 || isatty(STDIN_FILENO)) {
		bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs("usage: seoga shrink <PICTURE >TWO-PICTURES\n"
		      "A part of the program upload: see lib/shrink.h.\n",
		    help ? stdout : stderr);
		return help ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	limit_resources();
	start_vips(argv[0]);
	confine();
	data = map_input(&len);
	image = decode(data, len, look_inside(data, len));
	large = encode(image);
	small = encode_small(image);
	printf("%d %d %zu %zu\n", image->Xsize, image->Ysize, large.len,
	    small.len);
	fwrite(large.data, 1, large.len, stdout);
	fwrite(small.data, 1, small.len, stdout);
	_exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
