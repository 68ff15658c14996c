<?php

// For opcache.preload, where FFI is allowed to preloaded code only (ffi.enable=preload):
//
//     opcache.preload=/path/to/bayar-preload.php
//     opcache.preload_user=www-data
//
// A site that has a preload file of its own requires this one there. What fails in a preload file
// stops every site of the server, so nothing leaves this one: a file that is not there, or a PHP that
// is too old for it, is left out, and Bayar says later that FFI is not allowed. Written so that any
// PHP that preloads can read it. FFI::cdef is called at request time; ffi.preload is never needed.

if (PHP_VERSION_ID >= 80100 && function_exists('opcache_compile_file')) {
    (static function () {
        try {
            foreach (array('', '/Doctor', '/Native', '/Transport') as $folder) {
                foreach (glob(__DIR__ . "/src$folder/*.php") ?: array() as $file) {
                    if (is_readable($file)) {
                        @opcache_compile_file($file);
                    }
                }
            }
        } catch (\Throwable $e) {
            error_log('bayar: not preloaded: ' . $e->getMessage());
        }
    })();
}
