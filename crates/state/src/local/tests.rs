//! Local storage: what is there is whole, and what cannot be done is said with path and cause.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn storage() -> (tempfile::TempDir, LocalStorage) {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalStorage::open(folder.path().join("job")).unwrap();
    (folder, storage)
}

#[test]
fn the_first_put_if_absent_wins() {
    let (_folder, storage) = storage();
    assert!(storage.put_if_absent("chk-1/_metadata", b"one").unwrap());
    assert!(!storage.put_if_absent("chk-1/_metadata", b"two").unwrap());
    assert_eq!(storage.get("chk-1/_metadata").unwrap().unwrap(), b"one");
    assert_eq!(storage.list("chk-1").unwrap(), ["_metadata"]);
}

#[test]
fn of_many_that_put_if_absent_at_once_one_wins() {
    let (_folder, storage) = storage();
    let threads: Vec<_> = (0..8u8)
        .map(|number| {
            let storage = storage.clone();
            weir_base::spawn(format!("put-{number}"), move || {
                storage.put_if_absent("generations/1", &[number]).unwrap()
            })
            .unwrap()
        })
        .collect();
    let winners: Vec<bool> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(winners.iter().filter(|won| **won).count(), 1);
    let winner = winners.iter().position(|won| *won).unwrap();
    assert_eq!(usize::from(storage.get("generations/1").unwrap().unwrap()[0]), winner);
}

#[test]
fn put_replaces_and_delete_takes_away_with_the_empty_folder() {
    let (folder, storage) = storage();
    storage.put("completed/1", b"5").unwrap();
    storage.put("completed/1", b"6").unwrap();
    assert_eq!(storage.get("completed/1").unwrap().unwrap(), b"6");
    assert_eq!(storage.length("completed/1").unwrap(), Some(1));
    storage.delete("completed/1").unwrap();
    storage.delete("completed/1").unwrap();
    assert_eq!(storage.get("completed/1").unwrap(), None);
    assert!(!folder.path().join("job/completed").exists());
    assert!(storage.list("completed").unwrap().is_empty());
}

#[test]
fn a_file_is_there_only_when_it_is_finished() {
    let (folder, storage) = storage();
    let mut file = storage.create("shared/a").unwrap();
    file.append(b"abc").unwrap();
    assert_eq!(storage.get("shared/a").unwrap(), None);
    assert!(storage.list("shared").unwrap().is_empty());
    file.append(b"def").unwrap();
    file.finish().unwrap();
    assert_eq!(storage.read("shared/a", 2, 3).unwrap(), b"cde");

    let mut dropped = storage.create("shared/b").unwrap();
    dropped.append(b"abc").unwrap();
    drop(dropped);
    assert_eq!(std::fs::read_dir(folder.path().join("job/shared")).unwrap().count(), 1);
}

#[test]
fn what_a_killed_process_left_unfinished_is_cleared_and_nothing_else() {
    let (folder, storage) = storage();
    storage.put("shared/a", b"abc").unwrap();
    storage.put("top", b"abc").unwrap();
    std::mem::forget(storage.create("shared/b").unwrap());
    std::mem::forget(storage.create("c").unwrap());
    let count = || {
        std::fs::read_dir(folder.path().join("job")).unwrap().count()
            + std::fs::read_dir(folder.path().join("job/shared")).unwrap().count()
    };
    assert_eq!(count(), 5);
    storage.clear_unfinished().unwrap();
    assert_eq!(count(), 3);
    assert_eq!(storage.get("shared/a").unwrap().unwrap(), b"abc");
}

#[test]
fn reading_behind_the_end_says_where_it_ends() {
    let (_folder, storage) = storage();
    storage.put("a", b"abc").unwrap();
    let error = storage.read("a", 1, 5).unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert_eq!(error.to_string(), format!("read {}: it ends before byte 6", storage.describe("a")));
}

#[test]
fn a_vanished_folder_is_said_and_never_made_again() {
    let (folder, storage) = storage();
    storage.put("chk-1/_metadata", b"one").unwrap();
    std::fs::remove_dir_all(folder.path().join("job")).unwrap();
    let root = storage.root.display().to_string();
    let rest = "bring it back (a disk that is not mounted?) and start the job again";
    let put = storage.put("chk-2/_metadata", b"two").unwrap_err();
    assert_eq!(put.to_string(), format!("make the folder {root}/chk-2: the folder {root} has vanished; {rest}"));
    assert_eq!(put.kind(), Kind::NotFound);
    let top = storage.put("top", b"two").unwrap_err();
    assert_eq!(top.to_string(), format!("write {root}/top: the folder {root} has vanished; {rest}"));
    let get = storage.get("chk-1/_metadata").unwrap_err();
    assert_eq!(get.to_string(), format!("read {root}/chk-1/_metadata: the folder {root} has vanished; {rest}"));
    assert!(storage.list("shared").is_err());
    assert!(!folder.path().join("job").exists());
}

#[test]
fn a_full_disk_and_a_folder_without_rights_are_said_with_what_to_do() {
    let path = Path::new("/checkpoints/chk-1/_metadata");
    let full = explain("write", path, std::io::Error::from_raw_os_error(28));
    assert_eq!(full.kind(), Kind::Exhausted);
    assert_eq!(
        full.to_string(),
        "write /checkpoints/chk-1/_metadata: No space left on device (os error 28); free some space there, or move execution.checkpointing.dir"
    );
    let read_only = explain("write", path, std::io::Error::from_raw_os_error(30));
    assert_eq!(
        read_only.to_string(),
        "write /checkpoints/chk-1/_metadata: Read-only file system (os error 30); mount it writable, or move execution.checkpointing.dir"
    );
    let denied = explain("write", path, std::io::Error::from_raw_os_error(13));
    assert_eq!(
        denied.to_string(),
        "write /checkpoints/chk-1/_metadata: Permission denied (os error 13); let this user write there, or move execution.checkpointing.dir"
    );
}

#[test]
fn a_real_full_device_fails_with_its_words() {
    // `/dev/full` refuses each byte as a full disk would.
    let mut file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = explain("write", Path::new("/dev/full"), file.write_all(b"a").unwrap_err());
    assert_eq!(error.kind(), Kind::Exhausted);
}

#[test]
fn a_read_only_folder_refuses_unless_the_user_may_do_anything() {
    let (folder, storage) = storage();
    storage.put("shared/a", b"one").unwrap();
    let shared = folder.path().join("job/shared");
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o555)).unwrap();
    let probe = File::create(shared.join("probe"));
    let written = storage.put("shared/b", b"two");
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o755)).unwrap();
    match probe {
        // The superuser may write anywhere: the rights say nothing to it.
        Ok(_) => written.unwrap(),
        Err(_) => assert_eq!(
            written.unwrap_err().to_string(),
            format!(
                "write {}: Permission denied (os error 13); let this user write there, or move execution.checkpointing.dir",
                storage.describe("shared/b")
            )
        ),
    }
    assert_eq!(storage.get("shared/a").unwrap().unwrap(), b"one");
}
