// The camera: the manager's code, and photos of deliveries.

#if canImport(SwiftUI) && canImport(UIKit)
import AVFoundation
import CarboyRider
import SwiftUI
import UIKit

/// Looks for a QR code and tells its text; nothing if the camera cannot be used.
struct ScanView: UIViewControllerRepresentable {
    let found: @MainActor (String?) -> Void

    func makeUIViewController(context: Context) -> ScanController { ScanController(found) }

    func updateUIViewController(_ controller: ScanController, context: Context) {}
}

/// Shows what the camera sees until it sees a QR code.
final class ScanController: UIViewController, AVCaptureMetadataOutputObjectsDelegate {
    private let session = AVCaptureSession()
    private var found: (@MainActor (String?) -> Void)?

    init(_ found: @escaping @MainActor (String?) -> Void) {
        self.found = found
        super.init(nibName: nil, bundle: nil)
    }

    @available(*, unavailable)
    required init?(coder: NSCoder) { return nil }

    override func viewDidLoad() {
        super.viewDidLoad()
        Task {
            guard await AVCaptureDevice.requestAccess(for: .video), setUp() else { return tell(nil) }
            // It blocks until the camera runs, and may be called from any thread.
            nonisolated(unsafe) let session = session
            Task.detached { session.startRunning() }
        }
    }

    override func viewDidDisappear(_ animated: Bool) {
        super.viewDidDisappear(animated)
        session.stopRunning()
    }

    override func viewDidLayoutSubviews() {
        super.viewDidLayoutSubviews()
        view.layer.sublayers?.first?.frame = view.bounds
    }

    nonisolated func metadataOutput(
        _ output: AVCaptureMetadataOutput, didOutput objects: [AVMetadataObject], from connection: AVCaptureConnection
    ) {
        let text = objects.lazy.compactMap { ($0 as? AVMetadataMachineReadableCodeObject)?.stringValue }.first
        guard let text else { return }
        // It is called on the main queue, as `setUp` asks for.
        MainActor.assumeIsolated { tell(text) }
    }

    private func setUp() -> Bool {
        let output = AVCaptureMetadataOutput()
        guard let camera = AVCaptureDevice.default(for: .video), let input = try? AVCaptureDeviceInput(device: camera),
            session.canAddInput(input), session.canAddOutput(output)
        else { return false }
        session.addInput(input)
        session.addOutput(output)
        output.setMetadataObjectsDelegate(self, queue: .main)
        output.metadataObjectTypes = [.qr]
        let preview = AVCaptureVideoPreviewLayer(session: session)
        preview.videoGravity = .resizeAspectFill
        preview.frame = view.bounds
        view.layer.addSublayer(preview)
        return true
    }

    /// Once only: the camera goes on seeing the code.
    private func tell(_ text: String?) {
        found?(text)
        found = nil
    }
}

/// Takes a photo and tells where its file is.
struct PhotoView: UIViewControllerRepresentable {
    let taken: @MainActor (String) -> Void
    @Environment(\.dismiss) private var dismiss

    /// Good enough to read a slip by, small enough for a weak link.
    private static let quality = 0.6

    func makeCoordinator() -> Coordinator { Coordinator(self) }

    func makeUIViewController(context: Context) -> UIImagePickerController {
        let picker = UIImagePickerController()
        picker.sourceType = UIImagePickerController.isSourceTypeAvailable(.camera) ? .camera : .photoLibrary
        picker.delegate = context.coordinator
        return picker
    }

    func updateUIViewController(_ controller: UIImagePickerController, context: Context) {}

    final class Coordinator: NSObject, UIImagePickerControllerDelegate, UINavigationControllerDelegate {
        private let view: PhotoView

        init(_ view: PhotoView) { self.view = view }

        func imagePickerController(
            _ picker: UIImagePickerController,
            didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any]
        ) {
            let image = info[.originalImage] as? UIImage
            let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            // A photo that could not be written is not there, and the delivery says so when it is confirmed.
            try? image?.jpegData(compressionQuality: PhotoView.quality)?.write(to: file)
            view.taken(file.path)
            view.dismiss()
        }

        func imagePickerControllerDidCancel(_ picker: UIImagePickerController) { view.dismiss() }
    }
}
#endif
