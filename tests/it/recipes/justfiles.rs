//! What published extensions are made of so far: files of their packages as far as steps are about them, and the shell of
//! their justfiles.

/// An extension.
pub(super) struct Case<'a> {
    pub(super) recipe: &'a str,
    /// As `super::package` reads them.
    pub(super) packages: &'a [&'a str],
    /// Files of its archive.
    pub(super) archive: &'a [&'a str],
    /// Its own steps, in a folder that has all files of the packages. `$ARCHIVE` is the unpacked archive, `$FILE` the file.
    pub(super) script: &'a str,
}

/// Shell that steps may use.
pub(super) const PRELUDE: &str = "umask 022\nshopt -s nullglob\n\
    put() { mkdir -p \"$(dirname \"$1\")\"; cat > \"$1\"; }\n";

/// What is done with all of them in the end: `move-etc` and `validate`.
pub(super) const SYSEXT_JUST: &str = "
if [ -d etc ]; then mkdir -p usr; cp -a --no-clobber etc usr/etc; rm -rf etc; fi
for folder in bin sbin lib lib64; do
  if [ -d $folder ]; then mkdir -p usr/$folder; cp -a $folder/. usr/$folder/; rm -rf $folder; fi
done
if [ -d usr/sbin ]; then mkdir -p usr/bin; cp -a usr/sbin/. usr/bin/; rm -rf usr/sbin; fi
for folder in var run opt; do
  if [ -d $folder ]; then find $folder -depth -type d -empty -delete; fi
done
for top in *; do [ $top = usr ] || { echo \"$top is left over\"; exit 1; }; done
";

pub(super) const CASES: &[Case<'_>] = &[
    Case {
        recipe: "emacs",
        packages: &["emacs
            /usr/bin/emacs-pgtk
            /usr/bin/etags.emacs
            /usr/share/man/man1/etags.emacs.1.gz"],
        archive: &[],
        script: "ln -s emacs-pgtk usr/bin/emacs
            ln -s etags.emacs usr/bin/etags
            ln -s etags.emacs.1.gz usr/share/man/man1/etags.1.gz",
    },
    Case {
        recipe: "gdb",
        packages: &["gdb
            /usr/bin/gdb
            /var/lib/unbound/root.key"],
        archive: &[],
        script: "rm -f var/lib/unbound/root.key",
    },
    Case {
        recipe: "inxi",
        packages: &["inxi
            /usr/bin/inxi
            /var/lib/freeipmi/ipckey"],
        archive: &[],
        script: "rm -f var/lib/freeipmi/ipckey",
    },
    Case {
        recipe: "iwd",
        packages: &["iwd
            /usr/libexec/iwd 0755
            /usr/lib/systemd/system/iwd.service"],
        archive: &[],
        script: "put usr/lib/NetworkManager/conf.d/20-iwd.conf <<'EOF'
[device]
wifi.backend=iwd
EOF",
    },
    Case {
        recipe: "qemu-guest-agent",
        packages: &["qemu-guest-agent
            /usr/bin/qemu-ga
            /etc/sysconfig/qemu-ga
            /usr/lib/systemd/system/qemu-guest-agent.service"],
        archive: &[],
        script: "put usr/lib/systemd/system/qemu-guest-agent.service.d/10-usr-etc.conf <<'EOF'
[Service]
EnvironmentFile=
EnvironmentFile=-/usr/etc/sysconfig/qemu-ga
EnvironmentFile=-/etc/sysconfig/qemu-ga
EOF",
    },
    Case {
        recipe: "kubernetes-cri-o-1.34",
        packages: &[
            "kubernetes1.34
            /usr/bin/kubelet",
            "kubernetes1.34-client
            /usr/bin/kubectl",
            "kubernetes1.34-kubeadm
            /usr/bin/kubeadm",
            "cri-o1.34
            /usr/bin/crio
            /etc/crio/crio.conf",
            "cri-tools1.34
            /usr/bin/crictl",
        ],
        archive: &[],
        script: "mkdir -p usr/libexec/kubernetes/kubelet-plugins/volume/exec",
    },
    Case { recipe: "libvirtd", packages: LIBVIRT, archive: &[], script: LIBVIRT_SCRIPT },
    Case {
        recipe: "libvirtd-desktop",
        packages: LIBVIRT,
        archive: &[],
        script: LIBVIRT_DESKTOP_SCRIPT,
    },
    Case {
        recipe: "wireshark-silverblue",
        packages: WIRESHARK,
        archive: &[],
        script: WIRESHARK_SCRIPT,
    },
    Case {
        recipe: "wireshark-kinoite",
        packages: WIRESHARK,
        archive: &[],
        script: WIRESHARK_SCRIPT,
    },
    Case {
        recipe: "1password-gui",
        packages: &["1password
            /opt/1Password/1password 0755
            /opt/1Password/chrome-sandbox 0755
            /opt/1Password/resources/app.asar
            /usr/share/applications/1password.desktop = [Desktop Entry]\\nExec=/opt/1Password/1password %U\\n"],
        archive: &[],
        script: "mkdir -p usr/lib usr/bin
            mv opt/1Password usr/lib/1Password
            ln -s ../lib/1Password/1password usr/bin/1password
            chmod 4755 usr/lib/1Password/chrome-sandbox
            sed -i 's|Exec=/opt/1Password/1password|Exec=/usr/bin/1password|' usr/share/applications/1password.desktop",
    },
    Case {
        recipe: "bitwarden",
        packages: &["bitwarden
            /opt/Bitwarden/bitwarden 0755
            /opt/Bitwarden/chrome-sandbox 0755
            /usr/share/applications/bitwarden.desktop = [Desktop Entry]\\nExec=/opt/Bitwarden/bitwarden %U\\n"],
        archive: &[],
        script: "mkdir -p usr/lib usr/bin
            mv opt/Bitwarden usr/lib/Bitwarden
            ln -s ../lib/Bitwarden/bitwarden usr/bin/bitwarden
            chmod 4755 usr/lib/Bitwarden/chrome-sandbox
            sed -i 's|Exec=/opt/Bitwarden/bitwarden|Exec=/usr/bin/bitwarden|' usr/share/applications/bitwarden.desktop",
    },
    Case {
        recipe: "google-chrome",
        packages: &["google-chrome-stable
            /opt/google/chrome/google-chrome 0755
            /opt/google/chrome/chrome-sandbox 4755
            /opt/google/chrome/product_logo_16.png
            /opt/google/chrome/product_logo_24.png
            /opt/google/chrome/product_logo_32.png
            /opt/google/chrome/product_logo_48.png
            /opt/google/chrome/product_logo_64.png
            /opt/google/chrome/product_logo_128.png
            /opt/google/chrome/product_logo_256.png
            /etc/cron.daily/google-chrome 0755
            /usr/share/applications/google-chrome.desktop
            /usr/bin/google-chrome-stable -> /opt/google/chrome/google-chrome"],
        archive: &[],
        script: "rm -rf etc
            mkdir -p usr/lib
            mv opt/google/chrome usr/lib/google-chrome
            ln -sf ../lib/google-chrome/google-chrome usr/bin/google-chrome-stable
            for size in 16 24 32 48 64 128 256; do
              mkdir -p usr/share/icons/hicolor/${size}x${size}/apps
              ln -s /usr/lib/google-chrome/product_logo_$size.png usr/share/icons/hicolor/${size}x${size}/apps/google-chrome.png
            done
            chmod 4755 usr/lib/google-chrome/chrome-sandbox",
    },
    Case {
        recipe: "microsoft-edge",
        packages: &["microsoft-edge-stable
            /opt/microsoft/msedge/microsoft-edge 0755
            /opt/microsoft/msedge/msedge-sandbox 4755
            /opt/microsoft/msedge/product_logo_16.png
            /opt/microsoft/msedge/product_logo_24.png
            /opt/microsoft/msedge/product_logo_32.png
            /opt/microsoft/msedge/product_logo_48.png
            /opt/microsoft/msedge/product_logo_64.png
            /opt/microsoft/msedge/product_logo_128.png
            /opt/microsoft/msedge/product_logo_256.png
            /etc/cron.daily/microsoft-edge 0755
            /usr/bin/microsoft-edge-stable -> /opt/microsoft/msedge/microsoft-edge"],
        archive: &[],
        script: "rm -rf etc
            mkdir -p usr/lib
            mv opt/microsoft/msedge usr/lib/microsoft-edge
            ln -sf ../lib/microsoft-edge/microsoft-edge usr/bin/microsoft-edge-stable
            for size in 16 24 32 48 64 128 256; do
              mkdir -p usr/share/icons/hicolor/${size}x${size}/apps
              ln -s /usr/lib/microsoft-edge/product_logo_$size.png usr/share/icons/hicolor/${size}x${size}/apps/microsoft-edge.png
            done
            chmod 4755 usr/lib/microsoft-edge/msedge-sandbox",
    },
    Case {
        recipe: "mullvad-vpn",
        packages: &["mullvad-vpn
            /opt/Mullvad VPN/mullvad-vpn 0755
            /opt/Mullvad VPN/chrome-sandbox 0755
            /usr/bin/mullvad-daemon
            /usr/lib/systemd/system/mullvad-daemon.service = [Service]\\nEnvironment=MULLVAD_RESOURCE_DIR=\"/opt/Mullvad VPN/resources/\"\\n
            /usr/share/applications/mullvad-vpn.desktop = [Desktop Entry]\\nExec=\"/opt/Mullvad VPN/mullvad-vpn\" %U\\n"],
        archive: &[],
        script: "mv 'opt/Mullvad VPN' usr/lib/mullvad-vpn
            ln -s ../lib/mullvad-vpn/mullvad-vpn usr/bin/mullvad-vpn
            chmod 4755 usr/lib/mullvad-vpn/chrome-sandbox
            sed -i 's|Exec=\"/opt/Mullvad VPN/mullvad-vpn\"|Exec=/usr/bin/mullvad-vpn|' usr/share/applications/mullvad-vpn.desktop
            sed -i 's|/opt/Mullvad VPN/|/usr/lib/mullvad-vpn/|' usr/lib/systemd/system/*.service",
    },
    Case { recipe: "nordvpn", packages: NORDVPN, archive: &[], script: NORDVPN_SCRIPT },
    Case { recipe: "nordvpn-gui", packages: NORDVPN_GUI, archive: &[], script: NORDVPN_GUI_SCRIPT },
    Case {
        recipe: "nvidia-driver-cuda-580.95.05",
        packages: &["nvidia-driver-cuda 580.95.05
            /usr/bin/nvidia-smi
            /usr/bin/nvidia-modprobe
            /usr/bin/nvidia-persistenced"],
        archive: &[],
        script: "put usr/lib/systemd/system/nvidia-sysext-devices.service <<'EOF'
[Unit]
Description=Make the devices of NVIDIA's driver
Before=nvidia-persistenced.service
ConditionPathExists=/proc/driver/nvidia

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/nvidia-modprobe -u -c 0
EOF
put usr/lib/systemd/system/nvidia-persistenced.service <<'EOF'
[Unit]
Description=Keep NVIDIA's driver ready
ConditionPathExists=/proc/driver/nvidia

[Service]
Type=forking
ExecStart=/usr/bin/nvidia-persistenced --verbose
ExecStopPost=/bin/rm -rf /var/run/nvidia-persistenced
EOF",
    },
    Case {
        recipe: "tailscale",
        packages: &["tailscale
            /usr/bin/tailscale
            /usr/sbin/tailscaled
            /lib/systemd/system/tailscaled.service
            /etc/default/tailscaled"],
        archive: &[],
        script: "put usr/lib/tmpfiles.d/tailscale-sysext.conf <<'EOF'
d /var/lib/tailscale 0700 root root -
d /var/cache/tailscale 0750 root root -
EOF
if [ -d lib/systemd ]; then cp -a lib/systemd usr/lib/; rm -rf lib; fi
if [ -e etc/default/tailscaled ]; then
put usr/lib/systemd/system/tailscaled.service.d/10-usr-etc.conf <<'EOF'
[Service]
EnvironmentFile=
EnvironmentFile=-/usr/etc/default/tailscaled
EnvironmentFile=-/etc/default/tailscaled
EOF
fi",
    },
    Case {
        recipe: "vagrant",
        packages: &["vagrant
            /opt/vagrant/bin/vagrant 0755
            /opt/vagrant/embedded/lib/libx.so
            /usr/bin/vagrant = #!/bin/sh\\nexec /opt/vagrant/bin/vagrant \"$@\"\\n"],
        archive: &[],
        script: "mkdir -p usr/lib
            mv opt/vagrant usr/lib/vagrant
            sed -i 's|/opt/vagrant|/usr/lib/vagrant|' usr/bin/vagrant",
    },
    Case {
        recipe: "yggdrasil",
        packages: &["yggdrasil
            /usr/bin/yggdrasil
            /etc/modules-load.d/yggdrasil.conf
            /etc/systemd/system/yggdrasil.service
            /etc/systemd/system/yggdrasil-default-config.service"],
        archive: &[],
        script: "mkdir -p usr/lib/systemd/system
            mv etc/systemd/system/*.service usr/lib/systemd/system/
            rm -rf etc",
    },
    Case {
        recipe: "bandwhich",
        packages: &[],
        archive: &[
            "bandwhich-v1/bandwhich",
            "bandwhich-v1/man/bandwhich.1",
            "bandwhich-v1/completion/_bandwhich",
            "bandwhich-v1/README.md",
        ],
        script: "install -D -m 755 $ARCHIVE/bandwhich-v1/bandwhich usr/bin/bandwhich
            install -D -m 644 $ARCHIVE/bandwhich-v1/completion/_bandwhich usr/share/zsh/site-functions/_bandwhich
            mkdir -p usr/share/man/man1
            gzip -9 -n -c $ARCHIVE/bandwhich-v1/man/bandwhich.1 > usr/share/man/man1/bandwhich.1.gz",
    },
    Case {
        recipe: "youki",
        packages: &[],
        archive: &["youki", "README.md"],
        script: "install -D -m 755 $ARCHIVE/youki usr/bin/youki",
    },
    Case {
        recipe: "wasmtime",
        packages: &[],
        archive: &["wasmtime-v1-x86_64-linux/wasmtime", "wasmtime-v1-x86_64-linux/LICENSE"],
        script: "install -D -m 755 $ARCHIVE/wasmtime-v1-x86_64-linux/wasmtime usr/bin/wasmtime",
    },
    Case {
        recipe: "cilium-cli",
        packages: &[],
        archive: &["cilium"],
        script: "install -D -m 755 $ARCHIVE/cilium usr/bin/cilium",
    },
    Case {
        recipe: "virtctl",
        packages: &[],
        archive: &[],
        script: "install -D -m 755 $FILE usr/bin/virtctl",
    },
    Case {
        recipe: "dnclient",
        packages: &[],
        archive: &[],
        script: "install -D -m 755 $FILE usr/bin/dnclient",
    },
];

const LIBVIRT: &[&str] = &[
    "libvirt-daemon-kvm
    /usr/sbin/virtqemud
    /usr/lib/systemd/system/virtqemud.service
    /usr/lib/systemd/system/virtqemud.socket
    /var/lib/libvirt/images/",
    "libvirt-client
    /usr/bin/virsh",
    "qemu-kvm
    /usr/bin/qemu-kvm
    /usr/bin/netcat
    /sbin/extlinux
    /boot/extlinux/menu.c32
    /usr/lib64/iscsi/libiscsi.so.9
    /etc/ld.so.conf.d/libiscsi-x86_64.conf = /usr/lib64/iscsi\\n",
    "virt-install
    /usr/bin/virt-install",
];

const LIBVIRT_SCRIPT: &str = "rm -rf var boot
ln -s netcat usr/bin/nc
if [ -e sbin/extlinux ]; then mv sbin/extlinux usr/bin/; rmdir sbin; fi
mkdir -p usr/lib
mv etc/ld.so.conf.d usr/lib/
rmdir etc
put usr/lib/tmpfiles.d/libvirtd-ld-so.conf <<'EOF'
L+ /etc/ld.so.conf.d/libiscsi-x86_64.conf - - - - ../../usr/lib/ld.so.conf.d/libiscsi-x86_64.conf
L+ /etc/ld.so.conf.d/libiscsi-aarch64.conf - - - - ../../usr/lib/ld.so.conf.d/libiscsi-aarch64.conf
EOF
put usr/lib/sysusers.d/libvirtd.conf <<'EOF'
m qemu kvm
EOF
put usr/lib/systemd/system/virtqemud.service.d/10-libvirtd-ldconfig.conf <<'EOF'
[Unit]
After=ldconfig.service
EOF";

const LIBVIRT_DESKTOP_SCRIPT: &str = "rm -rf var boot
ln -s netcat usr/bin/nc
mkdir -p usr/lib
mv etc/ld.so.conf.d usr/lib/
rmdir etc
put usr/lib/tmpfiles.d/libvirtd-desktop-ld-so.conf <<'EOF'
L+ /etc/ld.so.conf.d/libiscsi-x86_64.conf - - - - ../../usr/lib/ld.so.conf.d/libiscsi-x86_64.conf
L+ /etc/ld.so.conf.d/libiscsi-aarch64.conf - - - - ../../usr/lib/ld.so.conf.d/libiscsi-aarch64.conf
EOF
put usr/lib/sysusers.d/libvirtd-desktop.conf <<'EOF'
m qemu kvm
EOF
put usr/lib/systemd/system/virtqemud.service.d/10-libvirtd-desktop-ldconfig.conf <<'EOF'
[Unit]
After=ldconfig.service
EOF";

const WIRESHARK: &[&str] = &["wireshark
    /usr/bin/wireshark
    /usr/bin/dumpcap 0750
    /usr/share/applications/org.wireshark.Wireshark.desktop"];

const WIRESHARK_SCRIPT: &str =
    "chown 0:72 usr/bin/dumpcap\nsetcap cap_net_raw,cap_net_admin=ep usr/bin/dumpcap";

const NORDVPN: &[&str] = &["nordvpn
    /usr/bin/nordvpn
    /usr/sbin/nordvpnd
    /usr/lib/systemd/system/nordvpnd.service
    /usr/lib/systemd/system/nordvpnd.socket
    /usr/lib/systemd/system/nordvpn.service -> /dev/null
    /usr/lib/tmpfiles.d/nordvpn.conf 0755
    /var/lib/nordvpn/data/countries.dat"];

const NORDVPN_SCRIPT: &str = "mkdir -p usr/share
mv var/lib/nordvpn usr/share/nordvpn
put usr/lib/tmpfiles.d/nordvpn-sysext.conf <<'EOF'
C /var/lib/nordvpn - - - - /usr/share/nordvpn
EOF
put usr/lib/sysusers.d/nordvpn-sysext.conf <<'EOF'
g nordvpn -
EOF
chmod 644 usr/lib/tmpfiles.d/nordvpn.conf
rm usr/lib/systemd/system/nordvpn.service
mkdir -p usr/lib64/nordvpn
ln -s /usr/lib64/libsqlite3.so.0 usr/lib64/nordvpn/libsqlite3.so
put usr/lib/systemd/system/nordvpnd.service.d/10-libraries.conf <<'EOF'
[Service]
Environment=LD_LIBRARY_PATH=/usr/lib64/nordvpn
EOF";

const NORDVPN_GUI: &[&str] = &[
    "nordvpn-gui
    /opt/nordvpn-gui/nordvpn-gui 0755
    /usr/share/applications/nordvpn-gui.desktop = [Desktop Entry]\\nExec=/opt/nordvpn-gui/nordvpn-gui\\n",
    "nordvpn
    /usr/bin/nordvpn
    /usr/lib/tmpfiles.d/nordvpn.conf 0755",
];

const NORDVPN_GUI_SCRIPT: &str = "mv opt/nordvpn-gui usr/lib/nordvpn-gui
ln -s ../lib/nordvpn-gui/nordvpn-gui usr/bin/nordvpn-gui
sed -i 's|Exec=/opt/nordvpn-gui/|Exec=/usr/bin/|' usr/share/applications/nordvpn-gui.desktop
put usr/lib/tmpfiles.d/nordvpn-gui-sysext.conf <<'EOF'
C /var/lib/nordvpn - - - - /usr/share/nordvpn
EOF
put usr/lib/sysusers.d/nordvpn-gui-sysext.conf <<'EOF'
g nordvpn -
EOF
chmod 644 usr/lib/tmpfiles.d/nordvpn.conf
mkdir -p usr/lib64/nordvpn
ln -s /usr/lib64/libsqlite3.so.0 usr/lib64/nordvpn/libsqlite3.so
put usr/lib/systemd/system/nordvpnd.service.d/10-libraries.conf <<'EOF'
[Service]
Environment=LD_LIBRARY_PATH=/usr/lib64/nordvpn
EOF";
