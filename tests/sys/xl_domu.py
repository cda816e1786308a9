# SPDX-License-Identifier: Apache-2.0
"""Stock Linux guests for lists of commands (xl.py): their configurations, and what they could leave behind."""

# Pages that are free, and those that Bulkhead has in use for the domains there are: dom0's own tables grow as it takes
# its memory apart page by page for the tools, and stay; and pages of small objects, which a few that stay (dom0's event
# channels) can hold.
PAGES = ("xl dmesg -c >/dev/null; xl debug-keys m; xl dmesg | awk -v sum=$(freepages) "
         "'/ of small objects/ { sum += $(NF - 4) } "
         "/ for it,/ { for (i = 2; i < NF; i++) if ($i == \"for\" && $(i + 1) == \"it,\") sum += $(i - 1) } END { print sum }'")
# All that a guest could leave behind: domains, memory, its disk's loop device, its network card, its store entries.
LEFT = ("xl list | awk 'NR > 1 { print $1 }'; " + PAGES + "; losetup -a; ip -o link | grep -c vif; "
        "xenstore-ls /local/domain/0/backend | grep -c frontend; xenstore-list /local/domain; ls /tmp")


def looking(look):
    """Defines `look`. Without complaints of what is not there: in a step's output they would be one for each look."""
    return f"look() {{ {{ {look}; }} >/run/after 2>/dev/null; }}; "


def noted(look):
    """A command: what there is, to be compared with what is left. Two looks a second apart have seen the same: what ended right
    before may not have let go of all."""
    return looking(look) + ("look; for t in 1 1 3 9; do cp /run/after /run/before; sleep $t; look; "
                            "cmp -s /run/before /run/after && break; done; cp /run/after /run/before; cat /run/before")


def settled(look):
    """The same when it is as before again: daemons and backends let go in their own time. What stays is shown in the end."""
    return looking(look) + "for t in 0.1 1 3 9; do sleep $t; look; cmp -s /run/before /run/after && break; done; cat /run/after"


def config(name, number, vcpus, memory, words=""):
    """A guest's configuration, with more words for its kernel's command line, as a file for run_steps()."""
    return (f"/etc/xen/{name}.cfg", f"""name = "{name}"
kernel = "/guests/vmlinuz"
ramdisk = "/guests/domu.cpio.gz"
extra = "console=hvc0 rdinit=/init guest={name} address=192.168.77.1{number}/24 {words}"
memory = {memory}
vcpus = {vcpus}
disk = [ "/guests/{name}.img,raw,xvda,rw" ]
vif = [ "mac=00:16:3e:00:00:1{number},bridge=xenbr0" ]
""".encode())


def output(results, name):
    """Of a step that must have ended well."""
    assert name in results, f"{name} did not end"
    assert results[name].status == 0, f"{name} ended with {results[name].status}: {results[name].output}"
    return results[name].output
