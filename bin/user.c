/*
 * seoga user -- makes accounts, sets roles and passwords.
 *
 *	seoga user add NAME [--role ROLE] [--full-name TEXT]
 *	seoga user role NAME ROLE
 *	seoga user password NAME
 *
 * Passwords are asked for, or with --password-stdin read from there; they are
 * never arguments, which every process on the machine can see.
 */
#include "user.h"
#include "command.h"
#include "sessions.h"
#include "user_admin.h"

#include <getopt.h>
#include <unistd.h>

static const char usage[] =
    "usage: seoga user add NAME [--role ROLE] [--full-name TEXT]"
    " [--password-stdin]\n"
    "       seoga user role NAME ROLE\n"
    "       seoga user password NAME [--password-stdin]\n"
    "ROLE is reader, student, librarian or admin.";

struct options {
	const char *role, *full_name;
	bool password_stdin;
};

/* Nobody sees what is typed, so it is typed twice. */
static void
check_again(const char *password)
{
	const char *again = getpass("Password once more: ");

	if (!again || strcmp(again, password) != 0)
		command_die("the two passwords are not the same");
}

static const char *
read_password(struct req *req, const struct options *o)
{
	char line[USER_PASSWORD_MAX * 4 + 2];
	const char *password;

	if (o->password_stdin) {
		password = fgets(line, sizeof(line), stdin);
		if (password)
			line[strcspn(line, "\r\n")] = '\0';
	} else {
		password = getpass("Password: ");
	}
	if (!password || strlen(password) < USER_PASSWORD_MIN)
		command_die("the password must have at least %d characters",
		    USER_PASSWORD_MIN);
	password = arena_strdup(req->arena, password);
	if (!o->password_stdin)
		check_again(password);
	return password;
}

static void
check_role(const char *role)
{
	static const char *const roles[] = { "reader", "student", "librarian",
		"admin" };

	for (size_t i = 0; i < LENGTH(roles); i++) {
		if (strcmp(role, roles[i]) == 0)
			return;
	}
	command_die("there is no role \"%s\": it is reader, student, librarian"
		    " or admin",
	    role);
}

static void
add(struct req *req, const char *name, const struct options *o)
{
	const char *role = o->role ? o->role : "reader";
	int rc;

	check_role(role);
	if (!user_name_is_valid(name))
		command_die("a user name has %d to %d letters a-z, digits,"
			    " dots, hyphens or underscores",
		    USER_NAME_MIN, USER_NAME_MAX);
	rc = user_add(req, name, o->full_name ? o->full_name : name,
	    read_password(req, o), role);
	if (rc == RC_CONFLICT)
		command_die("there is a user %s already", name);
	if (rc < 0)
		command_die_of(req, "the user could not be added");
	printf("%s is a member now, with the role %s.\n", name, role);
}

static int64_t
find(struct req *req, const char *name)
{
	int64_t id;

	if (user_find(req, name, &id) < 0)
		command_die_of(req, "There is no such user.");
	return id;
}

static void
set_role(struct req *req, const char *name, const char *role)
{
	check_role(role);
	if (user_give_role(req, find(req, name), role) < 0)
		command_die_of(req,
		    "the role could not be set, or sessions"
		    " not ended");
	printf(
	    "%s has the role %s and is signed out everywhere.\n", name, role);
}

static void
set_password(struct req *req, const char *name, const struct options *o)
{
	if (user_reset_password(req, name, read_password(req, o)) < 0)
		command_die_of(req, "the password could not be set");
	/* Whoever is signed in goes on by the password of then. */
	if (sessions_end_of(req, find(req, name)) < 0)
		command_die("that is done, but %s could not be signed out;"
			    " is Redis there?",
		    name);
	printf("%s has a new password and is signed out everywhere.\n", name);
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option known[] = { { "help", no_argument, NULL,
						   'h' },
		{ "role", required_argument, NULL, 'r' },
		{ "full-name", required_argument, NULL, 'n' },
		{ "password-stdin", no_argument, NULL, 's' }, { 0 } };
	struct options o = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'r') {
			o.role = optarg;
		} else if (option == 'n') {
			o.full_name = optarg;
		} else if (option == 's') {
			o.password_stdin = true;
		} else if (option == 'h') {
			puts(usage);
			exit(EXIT_SUCCESS);
		} else {
			command_die("%s", usage);
		}
	}
	return o;
}

int
main(int argc, char **argv)
{
	struct options o;
	int n;
	char **words;
	struct req req;

	command_begin("user");
	o = read_options(argc, argv);
	n = argc - optind;
	words = argv + optind;
	command_open(&req, "user", false);
	if (n == 2 && strcmp(words[0], "add") == 0)
		add(&req, words[1], &o);
	else if (n == 3 && strcmp(words[0], "role") == 0)
		set_role(&req, words[1], words[2]);
	else if (n == 2 && strcmp(words[0], "password") == 0)
		set_password(&req, words[1], &o);
	else
		command_die("%s", usage);
	command_close(&req);
	return EXIT_SUCCESS;
}
