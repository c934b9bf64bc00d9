#!/bin/bash
# Tries `grade check`, with --run too, on a Python for Windows under Wine. TensorFlow for Windows does not start there, so
# the notebook that is run does without. Needs the Debian packages wine, wine64 and gcc-mingw-w64-x86-64-win32, the
# package index, and a Python 3.11 of this environment, whose pure library serves that for Windows, too.
set -eu
repository=$(dirname "$(dirname "$(readlink -f "$0")")")
python="$repository/.venv/bin/python"
place=$(mktemp -d)
trap 'wineserver -k >/dev/null 2>&1; rm -rf "$place"' EXIT
export WINEPREFIX="$place/prefix" WINEDEBUG=-all DISPLAY= COLUMNS=100
windows="$WINEPREFIX/drive_c/windows-python"

echo "=== packages"
get() {
  "$python" -m pip "$@" --quiet --disable-pip-version-check --platform win_amd64 --python-version 3.11 --implementation cp \
    --only-binary :all:
}
wine reg add 'HKCU\Software\Wine' /v Version /d win10 /f >/dev/null 2>&1
mkdir -p "$windows/Lib" "$windows/DLLs" "$windows/work"
get download --no-deps panda3d==1.10.16 -d "$place"  # has Python's own libraries for Windows
unzip -q -j "$place"/panda3d*.whl 'deploy_libs/*' -d "$windows/DLLs"
mv "$windows"/DLLs/{python311,VCRUNTIME140}.dll "$windows"
library=$("$python" -c 'import os; print(os.path.dirname(os.__file__))')
tar -C "$library" --exclude site-packages --exclude lib-dynload --exclude test --exclude __pycache__ -c . | tar -C "$windows/Lib" -x
get install --target "$windows/Lib/site-packages" --constraint "$repository/constraints.txt" jinja2 pillow pydantic \
  pyyaml rapidfuzz rich typer ipykernel jupyter-client markdown-it-py nbclient nbformat nh3 psutil sqlalchemy colorama
get install --upgrade --no-deps --target "$windows/Lib/site-packages" numpy==1.26.4  # later ones call what Wine lacks
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w "$place" "$repository"
unzip -q "$place"/grader-*.whl -d "$windows/Lib/site-packages"

echo "=== what Wine lacks"
cd "$windows"
mingw() { x86_64-w64-mingw32-gcc -o "$@"; }
cat >python.c <<'C'
#include <windows.h>
int wmain(int count, wchar_t **words) {
  int (*run)(int, wchar_t **) = (void *)GetProcAddress(LoadLibraryW(L"python311.dll"), "Py_Main");
  return run(count, words);
}
C
cat >bcryptprimitives.c <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL ProcessPrng(PBYTE data, SIZE_T count) { return SystemFunction036(data, count); }
C
mingw python.exe -municode python.c
mingw bcryptprimitives.dll -shared bcryptprimitives.c -ladvapi32
"$python" "$repository/tools/windows_trial.py" forward  # python3.dll and another, as names of what is there
for definitions in *.def; do
  mingw "${definitions%.def}.dll" -shared -x c /dev/null -x none "$definitions"
done

echo "=== trials"
cd work
cp "$repository/submissions/a1/Participant_102_assignsubmission_file/IDL_Assignment_1.ipynb" my.ipynb
"$repository/.venv/bin/grade" student-edition a1 --course "$repository" --to a1.student.yaml >/dev/null
wine ../python.exe -m grader check my.ipynb </dev/null 2>&1 | cat
cp "$repository/tools/windows_trial.py" .
wine ../python.exe windows_trial.py </dev/null 2>&1 | cat
[ "${PIPESTATUS[0]}" -eq 0 ]
