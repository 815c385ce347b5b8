#!/bin/sh
# Makes the secrets that compose.yaml reads, each a file in a folder that only its owner can enter. What is there stays.
# Run it beside .env, in which it names the folder:
#   sh deploy/secrets.sh [FOLDER]
set -eu
folder="${1:-secrets}"
mkdir -p "$folder"
chmod 0700 "$folder"

make() {
    file="$folder/$1"
    [ -s "$file" ] && return
    LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "$2" >"$file"
    # Services read it under users of their own; the folder keeps everybody else on this host out.
    chmod 0444 "$file"
    echo "made $file"
}

# A file for what others make up, and not everybody has.
optional() {
    [ -e "$folder/$1" ] && return
    : >"$folder/$1"
    chmod 0644 "$folder/$1"
    echo "made $folder/$1, which is empty"
}

make secret_key 64
make admin_password 20
make postgres_password 32
make valkey_password 32
make s3_secret_key 40
make s3_encryption_key 64
make grafana_password 20
# Made by the provider that people sign in with, if there is one: write it in here.
optional oidc_client_secret
if [ -f .env ] && grep -q '^SLIPWAY_SECRETS=$' .env; then
    sed "s|^SLIPWAY_SECRETS=\$|SLIPWAY_SECRETS=$(cd "$folder" && pwd)|" .env >"$folder/.env.part"
    cat "$folder/.env.part" >.env
    rm "$folder/.env.part"
    echo "wrote SLIPWAY_SECRETS into .env"
fi
echo "The first administrator's password is in $folder/admin_password. Keep $folder with the backups: what they hold is sealed with secret_key and s3_encryption_key."
