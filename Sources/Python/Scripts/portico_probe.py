"""What an interpreter says of itself, before it is chosen: a `key=value` a line."""

import os, sys, sysconfig
get = sysconfig.get_config_var
base = getattr(sys, "base_prefix", sys.prefix)
implementation = getattr(sys, "implementation", None)
folder = os.path.dirname(os.path.dirname(sys.executable))
is_environment = os.path.isfile(os.path.join(folder, "pyvenv.cfg"))
print("implementation=" + getattr(implementation, "name", "cpython"))
print("version=%d.%d.%d" % tuple(sys.version_info[:3]))
print("executable=" + sys.executable)
print("prefix=" + (folder if is_environment else base))
print("freethreaded=%d" % bool(get("Py_GIL_DISABLED")))
names = [n for n in (get("INSTSONAME"), get("LDLIBRARY")) if n and ".so" in n]
places = [get("LIBDIR"), os.path.join(base, "lib"), get("LIBPL")]
if get("MULTIARCH"): places.append(os.path.join("/usr/lib", get("MULTIARCH")))
if not names:
    names = ["libpython%d.%d%s.so.1.0" % (tuple(sys.version_info[:2]) + (getattr(sys, "abiflags", ""),))]
for place in places:
    for name in names:
        if place: print("library=" + os.path.join(place, name))
